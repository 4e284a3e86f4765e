// For `npm run coverage`: from here on, what a test starts writes down what ran in it. Not before: it would take the counts of the test's own process.
process.env.NODE_V8_COVERAGE = process.env.HELIX_COVERAGE;

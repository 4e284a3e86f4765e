// `npm test`: sets the clone up, runs every suite, names what was skipped, and ends with one line of counts.
// HELIX_TEST_ALL_REAL=1 turns each skip into a failure: on a machine where every real component must be there.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { root, setUp } from "./setup.mjs";

setUp();
// Of the faults only the short form; the whole of them has a command of its own, `npm run faults`.
const chosen = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "helix-test-"));
const report = join(folder, "report.json");
const vitest = spawnSync(
  process.execPath,
  [join(root, "node_modules/vitest/vitest.mjs"), "run", "--reporter=dot", "--reporter=json", `--outputFile.json=${report}`, ...chosen],
  { cwd: root, stdio: "inherit" },
);
const results = read(report);
rmSync(folder, { recursive: true, force: true });

const tests = results.testResults.flatMap((file) => file.assertionResults.map((test) => ({ ...test, file: relative(root, file.name) })));
const broken = results.testResults.filter(
  (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
);
const skipped = tests.filter((test) => ["pending", "skipped", "todo", "disabled"].includes(test.status));
const failed = tests.filter((test) => test.status === "failed");
const passed = tests.filter((test) => test.status === "passed");

for (const file of broken) console.log(`failed to run: ${relative(root, file.name)}: ${file.message}`);
for (const test of failed) console.log(`failed: ${test.file}: ${test.fullName}`);
for (const test of skipped) console.log(`skipped: ${test.file}: ${test.fullName}`);
const strict = process.env.HELIX_TEST_ALL_REAL === "1";
if (strict && skipped.length > 0) console.log("HELIX_TEST_ALL_REAL=1: every skip above counts as a failure.");
const failures = failed.length + broken.length + (strict ? skipped.length : 0);
console.log(`${passed.length} passed, ${failures} failed, ${strict ? 0 : skipped.length} skipped`);
process.exit(failures > 0 || passed.length === 0 || vitest.status !== 0 ? 1 : 0);

function read(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    console.log(`The test runner left no report (exit ${vitest.status ?? vitest.signal}): ${error.message}`);
    console.log("0 passed, 1 failed, 0 skipped");
    process.exit(1);
  }
}

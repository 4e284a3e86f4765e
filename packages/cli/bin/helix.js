#!/usr/bin/env node
// CommonJS, because starting Node's module loader would cost as much again as everything else that `helix --help` does.
const { existsSync } = require("node:fs");
const path = require("node:path");

const entry = path.join(__dirname, "../dist/bin/helix.cjs");
if (existsSync(entry)) require(entry);
else {
  process.stderr.write("helix is not built yet. Run `npm run build` in the repository.\n");
  process.exitCode = 1;
}

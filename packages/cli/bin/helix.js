#!/usr/bin/env node
// CommonJS, because starting Node's module loader would cost as much again as everything else that `helix --help` does.
const { existsSync, readFileSync, statSync } = require("node:fs");
const path = require("node:path");
const { Script } = require("node:vm");

const entry = path.join(__dirname, "../dist/bin/helix.cjs");
if (existsSync(entry)) run(entry);
else {
  process.stderr.write("helix is not built yet. Run `npm run build` in the repository.\n");
  process.exitCode = 1;
}

/** Runs a script of the bundle (a function in parentheses, see scripts/bundle.mjs) and answers with what it exports. */
function run(file) {
  const script = new Script(readFileSync(file, "latin1"), { filename: file, cachedData: compiled(file) });
  const module = { exports: {} };
  const ask = (id) => (id.startsWith(".") ? run(path.join(path.dirname(file), id)) : require(id));
  script.runInThisContext()(module.exports, ask, module, file, (name) => import(name));
  return module.exports;
}

/** The code that the build compiled of a script, if it was with this very Node; V8 checks that its flags fit. Nothing where the script is newer. */
function compiled(file) {
  const code = `${file}.${process.version}-${process.arch}`;
  const kept = statSync(code, { throwIfNoEntry: false });
  return kept && kept.mtimeMs >= statSync(file).mtimeMs ? readFileSync(code) : undefined;
}

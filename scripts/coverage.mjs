// `npm run coverage`: one figure, how many lines of packages/core and packages/sdk the tests run. What runs in processes of its own (the control plane, threads,
// plugin hosts) counts too: Node writes what ran there, and the source maps say which lines that was. Exits 1 below the bound, or where a test fails.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { linesOfChildren } from "./measure/child-lines.mjs";
import { root, setUp } from "./setup.mjs";

const BOUND = 90;
/** Every suite of the two packages, and as much of the others as starts each of their processes. Some seven minutes on two cores. */
const SUITES = [
  "packages/core",
  "packages/sdk",
  "packages/cli/test/init.test.ts",
  "test/e2e/first-line.test.ts",
  "test/e2e/bad-input.test.ts",
];

setUp();
const folder = mkdtempSync(join(tmpdir(), "helix-coverage-"));
const report = join(folder, "report");
const children = join(folder, "children");
mkdirSync(children);
const vitest = runVitest(process.argv.slice(2));

const files = Object.values(JSON.parse(readFileSync(join(report, "coverage-final.json"), "utf8")));
const ran = linesOfChildren(children);
const counted = files.map((file) => countLines(file, ran.get(file.path) ?? new Set()));
rmSync(folder, { recursive: true, force: true });

for (const { path, lines, covered, missing } of counted.filter(({ missing: { length } }) => length > 0).toSorted(byMissing))
  console.log(`${String(covered).padStart(5)} of ${String(lines).padStart(4)}  ${relative(root, path)}: ${ranges(missing)}`);
const [lines, covered] = [sum(counted, "lines"), sum(counted, "covered")];
const percent = (100 * covered) / lines;
if (vitest.status !== 0) console.log("Tests failed: the figure is of what ran.");
console.log(`lines covered: ${percent.toFixed(2)} % (${covered} of ${lines}; at least ${BOUND} % are wanted)`);
process.exit(percent < BOUND || vitest.status !== 0 ? 1 : 0);

function runVitest(chosen) {
  const args = ["run", "--reporter=dot", "--coverage.enabled", "--coverage.reportOnFailure", "--coverage.reporter=json"];
  return spawnSync(
    process.execPath,
    [
      join(root, "node_modules/vitest/vitest.mjs"),
      ...args,
      `--coverage.reportsDirectory=${report}`,
      ...(chosen.length > 0 ? chosen : SUITES),
    ],
    { cwd: root, stdio: ["ignore", 2, 2], env: { ...process.env, HELIX_COVERAGE: children } },
  );
}

/** A line counts where a statement begins; it is covered where one of them ran, here or in a child. */
function countLines({ path, statementMap, s }, ranElsewhere) {
  const hits = new Map();
  for (const [id, { start }] of Object.entries(statementMap)) hits.set(start.line, (hits.get(start.line) ?? 0) + s[id]);
  const missing = [...hits].filter(([line, count]) => count === 0 && !ranElsewhere.has(line)).map(([line]) => line);
  return { path, lines: hits.size, covered: hits.size - missing.length, missing: missing.toSorted((a, b) => a - b) };
}

function byMissing(a, b) {
  return b.missing.length - a.missing.length;
}

/** `3-5, 9`. */
function ranges(numbers) {
  const runs = [];
  for (const number of numbers) {
    if (runs.at(-1)?.[1] === number - 1) runs.at(-1)[1] = number;
    else runs.push([number, number]);
  }
  return runs.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(", ");
}

function sum(items, key) {
  return items.reduce((total, item) => total + item[key], 0);
}

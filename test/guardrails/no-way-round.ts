// `node --conditions=source --import tsx test/guardrails/no-way-round.ts`: takes the check out on each road to live, in a copy of the engine, and runs the tests of
// what happens there (`packages/core/test/engine/no-way-round.test.ts`) over it. Each has to turn red. About ten seconds a road.
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { WITHOUT_CHECK, type WithoutCheck } from "../../packages/core/test/engine/without-check.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const TEST = "packages/core/test/engine/no-way-round.test.ts";
const copy = await mkdtemp(join(tmpdir(), "helix-no-way-round-"));

try {
  for (const name of ["packages/core", "plugins/memory"])
    await cp(join(root, name), join(copy, name), {
      recursive: true,
      filter: (path) => !/\/(dist|node_modules|tsconfig\.json)(\/|$)/.test(path.slice(root.length)),
    });
  await symlink(join(root, "packages/core/dist"), join(copy, "packages/core/dist"));
  for (const name of ["package.json", "vitest.config.ts"]) await cp(join(root, name), join(copy, name));
  await symlink(join(root, "node_modules"), join(copy, "node_modules"));
  const first = await failing();
  if (first.length > 0) throw new Error(`the tests do not pass as they are: ${first.join("; ")}`);
  print("with every check: green");
  for (const one of WITHOUT_CHECK.filter(({ shows }) => shows !== "list")) await tryWithout(one);
} finally {
  await rm(copy, { recursive: true, force: true });
}

async function tryWithout({ road, file, from, to }: WithoutCheck): Promise<void> {
  const path = join(copy, "packages/core/src", file);
  const text = await readFile(path, "utf8");
  if (text.split(from).length !== 2) throw new Error(`${file} does not have the check on ${road} where it is looked for`);
  await writeFile(path, text.replace(from, to));
  const red = await failing();
  await writeFile(path, text);
  if (red.length === 0) process.exitCode = 1;
  print(`without the check on ${road}: ${red.length === 0 ? "GREEN, nobody noticed" : `red (${red.length}: ${red[0]})`}`);
}

/** Names of the tests that fail. */
async function failing(): Promise<readonly string[]> {
  const out = join(copy, "result.json");
  const argv = [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--project",
    "unit",
    "--root",
    copy,
    TEST,
    "--reporter=json",
    `--outputFile=${out}`,
  ];
  await rm(out, { force: true });
  await promisify(execFile)(process.execPath, argv, { cwd: copy, maxBuffer: 1 << 26 }).catch(() => undefined);
  const { testResults } = JSON.parse(await readFile(out, "utf8")) as {
    testResults: { message: string; assertionResults: { status: string; title: string }[] }[];
  };
  const results = testResults.flatMap(({ assertionResults }) => assertionResults);
  if (results.length === 0) return [testResults[0]?.message.trim().split("\n").slice(0, 3).join(" ") ?? "no test ran"];
  return results.filter(({ status }) => status === "failed").map(({ title }) => title);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

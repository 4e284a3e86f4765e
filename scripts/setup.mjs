// Brings a clone into a state in which everything runs: dependencies from the lockfile, then the build. Needs nothing but Node and npm.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** Installs and builds if needed. Output goes to stderr. Ends the process when a part fails. */
export function setUp() {
  requireNode();
  if (!installed()) run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], "install the dependencies");
  run(process.execPath, [join(root, "scripts/build.mjs")], "build");
}

/** Runs a program to its end; a failure ends this process with its exit code. */
export function run(program, args, what) {
  const result = spawnSync(program, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (result.status === 0) return;
  console.error(`Could not ${what}: ${program} ${args.join(" ")} ended with ${result.status ?? result.signal ?? result.error?.message}.`);
  process.exit(result.status ?? 1);
}

/** Whether node_modules is what the lockfile says: npm writes its own copy of the lockfile last. */
function installed() {
  const copy = join(root, "node_modules/.package-lock.json");
  return existsSync(copy) && statSync(copy).mtimeMs >= statSync(join(root, "package-lock.json")).mtimeMs;
}

function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`HelixStack needs Node 20.19 or newer; this is ${process.version}.`);
  process.exit(1);
}

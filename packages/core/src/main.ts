import { statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadBundle } from "./main/load-bundle.ts";

// The composition root's entry: the only script that puts the rooms together.

type Rooms = typeof import("./main/roles.ts");

/** Where the rooms are, and the same in one file, which loads several times as fast. */
const ROLES = new URL("./main/roles.js", import.meta.url);
const BUNDLE = new URL("./bundle/roles.cjs", import.meta.url);
/** What the compiler writes each time; a bundle that is older is not what the sources say. */
const BUILDS = ["./.tsbuildinfo", "../../sdk/dist/.tsbuildinfo", "../../supervisor/dist/.tsbuildinfo"];

const role = process.argv[2] ?? "";
process.title = `helix-${role}`;
const { ROLES: roles } = isBundleFresh() ? fromBundle() : ((await import(ROLES.href)) as Rooms);
const run = roles[role];
if (!run) {
  process.stderr.write(`usage: main.js ${Object.keys(roles).join("|")}\n`);
  process.exit(2);
}
try {
  await run(process.env);
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
}

/** Compiled code belongs to a home, which is the process's own. */
function fromBundle(): Rooms {
  const home = process.env["HELIX_HOME"];
  return loadBundle({ file: fileURLToPath(BUNDLE), cache: home ? join(home, "data/code") : null }) as Rooms;
}

/** Where coverage is measured the modules run: the bundle has no lines of theirs. */
function isBundleFresh(): boolean {
  if (process.env["NODE_V8_COVERAGE"] !== undefined) return false;
  const bundled = changedAt(BUNDLE);
  return bundled !== null && BUILDS.every((build) => bundled >= (changedAt(new URL(build, import.meta.url)) ?? 0));
}

function changedAt(file: URL): number | null {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? null;
}

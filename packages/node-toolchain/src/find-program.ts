import { access, constants, readFile, realpath } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";

/** A package manager on PATH, read from its files: running `--version` of each would take a second. */
export interface FoundProgram {
  readonly path: string;
  readonly version: string;
}

/**
 * Looks a package manager up on PATH. Null when it is not there, and when what is there is a shim (corepack's) that would
 * download something of its own choice.
 */
export async function findProgram(name: string, path: string): Promise<FoundProgram | null> {
  for (const folder of path.split(delimiter).filter(Boolean)) {
    const candidate = join(folder, name);
    const isExecutable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (!isExecutable) continue;
    const version = await versionOf(await realpath(candidate), name);
    if (version !== null) return { path: candidate, version };
  }
  return null;
}

async function versionOf(file: string, name: string): Promise<string | null> {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const text = await readFile(join(folder, "package.json"), "utf8").catch(() => null);
    if (text === null) continue;
    const owner = JSON.parse(text) as { name?: unknown; version?: unknown };
    return owner.name === name && typeof owner.version === "string" ? owner.version : null;
  }
  return null;
}

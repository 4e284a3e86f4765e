import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { PackageJson } from "./package-json.ts";

/** The package managers, with the two that are both called yarn told apart. */
export type ManagerKind = "npm" | "pnpm" | "yarn-classic" | "yarn-berry";

/** A lockfile that was found. */
export interface Lockfile {
  readonly name: string;
  readonly kind: ManagerKind;
  /** Version of the file's format, as far as it says. */
  readonly format: string | null;
}

/** Which package manager a project uses. */
export interface Manager {
  readonly kind: ManagerKind;
  /** The exact version that `packageManager` asks for, else null. */
  readonly wanted: string | null;
  /** The lockfile to install from; null when there is none of this manager. */
  readonly lockfile: Lockfile | null;
  /** Lockfiles of other managers, which are not used. */
  readonly ignored: readonly string[];
}

/** Finds out which package manager a folder uses: the one that `packageManager` names, else the lockfile's, else npm. Reads only. */
export async function detectManager(folder: string, packageJson: PackageJson): Promise<Manager> {
  const lockfiles = await findLockfiles(folder);
  const named = parseManagerField(packageJson.packageManager, lockfiles);
  const kind = named?.kind ?? lockfiles[0]?.kind ?? "npm";
  const lockfile = lockfiles.find((found) => found.kind === kind) ?? null;
  const ignored = lockfiles.filter((found) => found.kind !== kind).map((found) => found.name);
  return { kind, wanted: named?.version ?? null, lockfile, ignored };
}

/** In the order of choice where a folder has several. npm itself prefers the shrinkwrap. */
const LOCKFILES = ["pnpm-lock.yaml", "yarn.lock", "npm-shrinkwrap.json", "package-lock.json"] as const;

async function findLockfiles(folder: string): Promise<Lockfile[]> {
  const found: Lockfile[] = [];
  for (const name of LOCKFILES) {
    const head = await readHead(join(folder, name));
    if (head !== null) found.push({ name, ...readLockfile(name, head) });
  }
  return found;
}

function readLockfile(name: (typeof LOCKFILES)[number], text: string): Omit<Lockfile, "name"> {
  if (name === "pnpm-lock.yaml") return { kind: "pnpm", format: /^lockfileVersion: '?([\d.]+)/m.exec(text)?.[1] ?? null };
  if (name === "yarn.lock") return { kind: /^__metadata:/m.test(text) ? "yarn-berry" : "yarn-classic", format: null };
  return { kind: "npm", format: /"lockfileVersion": *(\d+)/.exec(text)?.[1] ?? null };
}

function parseManagerField(field: string | null, lockfiles: readonly Lockfile[]): { kind: ManagerKind; version: string | null } | null {
  const [, name, version] = /^(npm|pnpm|yarn)(?:@(\d+\.\d+\.\d+[^+\s]*))?/.exec(field ?? "") ?? [];
  if (name === undefined) return null;
  if (name !== "yarn") return { kind: name as "npm" | "pnpm", version: version ?? null };
  const isClassic = version === undefined ? lockfiles.every((found) => found.kind !== "yarn-berry") : version.startsWith("1.");
  return { kind: isClassic ? "yarn-classic" : "yarn-berry", version: version ?? null };
}

/** The beginning of a file, or null. What tells lockfiles apart stands in their first lines. */
async function readHead(path: string): Promise<string | null> {
  const text = await readFile(path, "utf8").catch(() => null);
  return text?.slice(0, 4096) ?? null;
}

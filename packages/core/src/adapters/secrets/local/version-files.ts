import { mkdir, readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { hasCode, writeOnce } from "../../files.ts";
import type { Sealed } from "./seal.ts";

/** One version of a secret: a sealed value, or the mark of a removal, which keeps its number from being given again. */
export interface VersionFile {
  readonly at: string;
  /** Null: removed. */
  readonly sealed: Sealed | null;
}

/** The numbers of the versions in a secret's folder, lowest first. */
export async function versionsIn(folder: string): Promise<readonly number[]> {
  const names = await namesIn(folder);
  const numbers = names.flatMap((name) => /^([1-9][0-9]{0,8})\.json$/.exec(name)?.[1] ?? []);
  return numbers.map(Number).sort((a, b) => a - b);
}

/** Names of files and folders; none where the folder is not there. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch((error: unknown) => {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  });
}

export function versionPath(folder: string, version: number | string): string {
  return join(folder, `${version}.json`);
}

/** Null when there is no such version. */
export async function readVersion(folder: string, version: number | string): Promise<VersionFile | null> {
  try {
    return JSON.parse(await readFile(versionPath(folder, version), "utf8")) as VersionFile;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
}

/** Makes the file of a version unless somebody else just did; of several at once one wins. */
export async function claimVersion(
  folder: string,
  { version, content }: { readonly version: number; readonly content: VersionFile },
): Promise<boolean> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const text = textOf(content);
  return (await writeOnce(versionPath(folder, version), text, 0o600)) === text;
}

export async function dropVersion(folder: string, version: number): Promise<void> {
  await rm(versionPath(folder, version), { force: true });
}

export function textOf(content: VersionFile): string {
  return `${JSON.stringify(content)}\n`;
}

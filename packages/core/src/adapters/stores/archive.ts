import { chmod, rename, rm } from "node:fs/promises";
import { create, extract } from "tar";
import { EngineError } from "../../domain/errors.ts";
import { toDiskError } from "../files.ts";

/** Packs files and folders below `root` into one compressed file, which appears when it is whole. What vanishes meanwhile is left out. */
export async function pack(file: string, { root, names }: { readonly root: string; readonly names: readonly string[] }): Promise<void> {
  const half = `${file}.${process.pid}.half`;
  try {
    await create({ gzip: { level: 1 }, file: half, cwd: root, filter: (path) => !IN_THE_MAKING.test(path) }, [...names]);
    await chmod(half, 0o600);
    await rename(half, file);
  } finally {
    await rm(half, { force: true });
  }
}

/** Stores write under another name first. */
const IN_THE_MAKING = /\.(?:tmp|half)$|\/partial-/;

/** Unpacks below `root` what is in one of the named folders. A file that is there already is kept. Rejects with `SOURCE_INVALID` for a file that is no archive of ours. */
export async function unpack(file: string, { root, names }: { readonly root: string; readonly names: readonly string[] }): Promise<void> {
  const isWanted = (path: string) => names.some((name) => path === name || path.startsWith(`${name}/`));
  try {
    await extract({ file, cwd: root, strict: true, keep: true, preservePaths: false, filter: isWanted });
  } catch (cause) {
    const error = toDiskError(cause, root);
    if (error !== cause) throw error;
    throw new EngineError("SOURCE_INVALID", `${file} is not a whole backup: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

import { randomBytes } from "node:crypto";
import { access, link, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { EngineError } from "../domain/errors.ts";

/** Whether something is there, a dangling link not included. */
export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** True for an error of the file system with this code. */
export function hasCode(thrown: unknown, ...codes: readonly string[]): boolean {
  return thrown instanceof Error && "code" in thrown && codes.includes(String(thrown.code));
}

/** A full disk (or quota) as the engine's error; anything else as it is. */
export function toDiskError(thrown: unknown, path: string): unknown {
  if (!hasCode(thrown, "ENOSPC", "EDQUOT")) return thrown;
  return new EngineError("DISK_FULL", `there is no space left for ${path}`, { cause: thrown });
}

/** Replaces a file so that a reader, or a machine that loses power, sees the old or the new content and nothing else. */
export async function writeWhole(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const half = await writeBeside(path, content, mode);
  await rename(half, path);
  await syncFolder(dirname(path));
}

/** Writes a file unless it is there; answers with what is there. Of several at once, one wins. */
export async function writeOnce(path: string, content: string, mode = 0o600): Promise<string> {
  if (await exists(path)) return readFile(path, "utf8");
  const half = await writeBeside(path, content, mode);
  try {
    await link(half, path);
    await syncFolder(dirname(path));
    return content;
  } catch (thrown) {
    if (!hasCode(thrown, "EEXIST")) throw thrown;
    return await readFile(path, "utf8");
  } finally {
    await rm(half, { force: true });
  }
}

/** Makes renames within a folder survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } catch (thrown) {
    // Some file systems have no fsync of folders; there is nothing better to do there.
    if (!hasCode(thrown, "EINVAL", "ENOTSUP", "EBADF", "EISDIR")) throw thrown;
  } finally {
    await folder.close();
  }
}

async function writeBeside(path: string, content: string | Uint8Array, mode: number): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const half = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const file = await open(half, "wx", mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    return half;
  } catch (thrown) {
    await rm(half, { force: true });
    throw toDiskError(thrown, path);
  }
}

import { closeSync, fsync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";

const sync = promisify(fsync);

/**
 * Replaces a file so that after a power cut either the old or the new content is there, whole. Returns when it is on disk. Only the waits for the disk are
 * given to a thread: the rest of a small file takes less time than a thread's answer.
 */
export async function writeDurable(file: string, content: string): Promise<void> {
  const temporary = `${file}.tmp`;
  try {
    await withFile(temporary, "w", async (opened) => {
      writeFileSync(opened, content);
      await sync(opened);
    });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(file));
}

/** Removes a file for good. Gone already is success. */
export async function removeDurable(file: string): Promise<void> {
  rmSync(file, { force: true });
  await syncFolder(dirname(file));
}

export function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
}

async function syncFolder(folder: string): Promise<void> {
  await withFile(folder, "r", sync);
}

async function withFile(path: string, flags: string, use: (file: number) => Promise<void>): Promise<void> {
  const file = openSync(path, flags, 0o600);
  try {
    await use(file);
  } finally {
    closeSync(file);
  }
}

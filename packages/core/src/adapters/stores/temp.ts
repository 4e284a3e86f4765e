import { randomBytes } from "node:crypto";
import { chmod, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isAlive } from "../processes.ts";

/** A new path in a store's folder for half-written things. It names the process, so that a sweep knows whose it is. */
export function tempPath(folder: string): string {
  return join(folder, `${process.pid}-${randomBytes(8).toString("hex")}`);
}

/** Makes a store's folder for half-written things, and removes what processes left in it that are gone. */
export async function sweepTemp(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) {
    if (!isAlive(Number(name.split("-")[0]))) await removeTree(join(folder, name));
  }
}

/** Removes a folder also if folders in it are closed to writing. */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await openTree(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function openTree(path: string): Promise<void> {
  await chmod(path, 0o755).catch(() => {});
  for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
    if (entry.isDirectory()) await openTree(join(path, entry.name));
  }
}

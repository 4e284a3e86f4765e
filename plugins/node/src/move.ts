import { cp, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

/** Not part of an application: history, caches, and notes of package managers, which name the folder and the hour of the build. */
const LEFT_OUT = [
  ".git",
  "node_modules/.cache",
  "node_modules/.package-lock.json",
  "node_modules/.modules.yaml",
  "node_modules/.pnpm-workspace-state.json",
  "node_modules/.pnpm-workspace-state-v1.json",
  "node_modules/.yarn-integrity",
  "node_modules/.yarn-state.yml",
  ".yarn/cache",
  ".yarn/unplugged",
  ".yarn/install-state.gz",
];

/** Moves what is in `source` to `output`, but for what no application needs. */
export async function moveBundle(source: string, output: string): Promise<void> {
  for (const path of LEFT_OUT) await rm(join(source, path), { recursive: true, force: true });
  for (const name of (await readdir(source)).sort()) await move(join(source, name), join(output, name));
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    await cp(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    await rm(from, { recursive: true });
  }
}

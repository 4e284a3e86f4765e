import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file system of its own with so many mebibytes of room; null where this user may not mount one. */
export async function mountTinyDisk(mebibytes = 1): Promise<{ readonly folder: string; unmount(): Promise<void> } | null> {
  const folder = await mkdtemp(join(tmpdir(), "helix-tiny-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  if (spawnSync("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", folder]).status !== 0) {
    await remove();
    return null;
  }
  return {
    folder,
    async unmount() {
      spawnSync("umount", ["-l", folder]);
      await remove();
    },
  };
}

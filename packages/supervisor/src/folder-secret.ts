import { randomBytes } from "node:crypto";
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A secret that a folder of ours keeps, made when it is asked for first: 32 hex digits. In a name of the kernel's abstract namespace, which has no
 * permissions, it keeps others from taking the name first.
 */
export function folderSecret(folder: string): string {
  const path = join(folder, "lock");
  const own = `${path}.${process.pid}`;
  try {
    return readFileSync(path, "utf8");
  } catch {
    writeFileSync(own, randomBytes(16).toString("hex"), { mode: 0o600 });
  }
  try {
    linkSync(own, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(own, { force: true });
  }
  return readFileSync(path, "utf8");
}

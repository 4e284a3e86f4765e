import { execFile } from "node:child_process";
import { chmod, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const KIND = 0o170000;
const FOLDER = 0o040000;

/** A user of this machine, by number: it needs no entry in the machine's books. */
export interface OsUser {
  readonly uid: number;
  readonly gid: number;
}

/** Whom this process runs as. */
export function engineUser(): OsUser {
  return { uid: process.getuid!(), gid: process.getgid!() };
}

/** The first folder on the way to a path, or that itself, which not everybody may enter or read. Null when the way is open. */
export async function firstClosed(path: string): Promise<string | null> {
  const real = await realpath(path).catch(() => null);
  if (real === null) return path;
  for (let at = real; ; at = dirname(at)) {
    const { mode } = await stat(at);
    const needed = (mode & KIND) === FOLDER ? 0o001 : 0o004;
    if ((mode & needed) === 0) return at;
    if (at === dirname(at)) return null;
  }
}

/** Makes a folder, with all that is in it, the user's own and closed to others. One that is already is left alone. Only root can; for others nothing happens. */
export async function giveTo(user: OsUser, folder: string): Promise<void> {
  if (engineUser().uid !== 0) return;
  const owner = await stat(folder).catch(() => null);
  if (owner === null || owner.uid === user.uid) return;
  await chmod(folder, 0o700);
  // It changes the folder itself last, so that a half done change is not taken for a whole one.
  await run("chown", ["-hR", `${user.uid}:${user.gid}`, "--", folder]);
}

import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";

/** Whom the server runs as. PostgreSQL refuses to run as root. */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const OWN_NAME = "helix-postgres";
const run = promisify(execFile);

/**
 * Null for an ordinary user: the server then runs as that one. As root: the system's `postgres`, else a system user of our own, which is
 * made, else `nobody`.
 */
export async function chooseServerUser(): Promise<ServerUser | null> {
  if (process.getuid?.() !== 0) return null;
  const found = (await findUser("postgres")) ?? (await findUser(OWN_NAME));
  if (found !== null) return found;
  try {
    await run("useradd", [
      "--system",
      "--user-group",
      "--no-create-home",
      "--home-dir",
      "/nonexistent",
      "--shell",
      "/usr/sbin/nologin",
      OWN_NAME,
    ]);
  } catch {
    // No useradd here, or a read-only /etc: `nobody` is everywhere.
  }
  return (await findUser(OWN_NAME)) ?? (await findUser("nobody")) ?? { name: "nobody", uid: 65_534, gid: 65_534 };
}

/** The first folder on the way to `path`, itself included, that the user may not pass; null when it can go there. */
export async function firstClosedFolder(path: string, user: ServerUser): Promise<string | null> {
  for (const folder of foldersTo(resolve(path))) {
    const { mode, uid, gid } = await stat(folder);
    if (!mayPass({ mode, uid, gid }, user)) return folder;
  }
  return null;
}

function mayPass(folder: { readonly mode: number; readonly uid: number; readonly gid: number }, user: ServerUser): boolean {
  if (folder.uid === user.uid) return (folder.mode & 0o100) !== 0;
  if (folder.gid === user.gid) return (folder.mode & 0o010) !== 0;
  return (folder.mode & 0o001) !== 0;
}

function foldersTo(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [...foldersTo(parent), path];
}

async function findUser(name: string): Promise<ServerUser | null> {
  const lines = (await readFile("/etc/passwd", "utf8").catch(() => "")).split("\n");
  const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(":");
  if (fields === undefined) return null;
  return { name, uid: Number(fields[2]), gid: Number(fields[3]) };
}

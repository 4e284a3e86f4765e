import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { lstat, mkdir, open, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { PluginError } from "./errors.ts";
import type { Identity } from "./identity.ts";

const run = promisify(execFile);
const KIND = 0o170000;
const FOLDER = 0o040000;
// Above what distributions, containers and systemd give away, below the sign bit.
const FIRST_UID = 2_000_000_000;
const UIDS = 100_000_000;
const WRITABLE_BY_OTHERS = 0o022;

/** A user of this machine, by number: it needs no entry in the machine's books. */
export interface OsUser {
  readonly uid: number;
  readonly gid: number;
}

/** Whom this process runs as. */
export function engineUser(): OsUser {
  return { uid: process.getuid!(), gid: process.getgid!() };
}

/** The user whose id follows from these texts. Nobody has to remember it. Pure. */
export function derivedUser(...texts: readonly string[]): OsUser {
  const uid = FIRST_UID + (createHash("sha256").update(texts.join("\0")).digest().readUInt32BE() % UIDS);
  return { uid, gid: uid };
}

/**
 * Whom root runs a service as that has a volume with many writers: the same user on every runtime of this machine, so that revisions on two of them
 * can write side by side. The name is part of it since a volume belongs to the service of this name. Pure.
 */
export function sharingUser({ installation, environment, names }: Pick<Identity, "installation" | "environment" | "names">): OsUser {
  return derivedUser(installation, environment, names.service);
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

/**
 * Makes a folder, and those above it, unless it is there. For a path that others could guess, in a folder where everybody may write: fails with `FOREIGN_RESOURCE`
 * where somebody else was there before, or may write in it.
 */
export async function makeOwnFolder(path: string, { mode }: { readonly mode: number }): Promise<void> {
  await mkdir(path, { recursive: true, mode });
  const found = await lstat(path);
  if (found.isDirectory() && found.uid === engineUser().uid && (found.mode & WRITABLE_BY_OTHERS) === 0) return;
  throw new PluginError("FOREIGN_RESOURCE", `${path} is not a folder that only user ${engineUser().uid} may write in`, {
    hint: `See who made it (ls -ld ${path}), and remove it.`,
  });
}

/**
 * Makes a folder, with all that is in it, the user's own and closed to others. One that is already is left alone; a link is refused. Only root can; for others
 * nothing happens.
 */
export async function giveTo(user: OsUser, folder: string): Promise<void> {
  if (engineUser().uid !== 0) return;
  const found = await lstat(folder).catch(() => null);
  if (found === null || (found.isDirectory() && found.uid === user.uid)) return;
  await close(folder);
  // It changes the folder itself last, so that a half done change is not taken for a whole one.
  await run("chown", ["-hR", `${user.uid}:${user.gid}`, "--", folder]);
}

/** By its handle: what a path names could be something else a moment later. */
async function close(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW).catch((cause: unknown) => {
    throw new PluginError("FOREIGN_RESOURCE", `${folder} is not a folder`, { hint: "A link in its place is not followed.", cause });
  });
  try {
    await handle.chmod(0o700);
  } finally {
    await handle.close();
  }
}

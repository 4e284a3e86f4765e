import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chown, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { EngineError } from "../../../domain/errors.ts";
import { exists, hasCode, syncFolder } from "../../files.ts";
import { isAlive } from "../../processes.ts";
import type { PostgresBinaries } from "./binaries.ts";

import type { ServerUser } from "./server-user.ts";

/** The one user of the embedded server, and the name of its database. */
export const DATABASE_USER = "helix";

export interface ClusterOptions {
  readonly binaries: PostgresBinaries;
  /** The data folder. Its parent is there, and the user can pass it. */
  readonly folder: string;
  readonly user: ServerUser | null;
  readonly password: string;
  /** Whether the new files are forced to disk. Default true. */
  readonly syncs?: boolean;
}

const run = promisify(execFile);

/**
 * Makes the data folder with `initdb`, unless it is there. It is made under another name and renamed when it is whole, so one that is
 * there is whole; what an earlier kill left half-made is removed.
 */
export async function ensureCluster(options: ClusterOptions): Promise<void> {
  const { folder, user } = options;
  if (await exists(join(folder, "PG_VERSION"))) return;
  await removeHalfMade(folder);
  const half = `${folder}.${process.pid}.${randomBytes(4).toString("hex")}.init`;
  await mkdir(half, { mode: 0o700 });
  if (user !== null) await chown(half, user.uid, user.gid);
  try {
    await initialize(options, half);
    await rename(join(half, "data"), folder);
    await syncFolder(dirname(folder));
  } catch (thrown) {
    // Somebody else was as fast, and theirs is as good.
    if (hasCode(thrown, "ENOTEMPTY", "EEXIST") && (await exists(join(folder, "PG_VERSION")))) return;
    throw thrown;
  } finally {
    await rm(half, { recursive: true, force: true });
  }
}

async function initialize({ binaries, user, password, syncs }: ClusterOptions, half: string): Promise<void> {
  const passwordFile = join(half, "password");
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600, flag: "wx" });
  if (user !== null) await chown(passwordFile, user.uid, user.gid);
  const argv = [
    `--pgdata=${join(half, "data")}`,
    `--username=${DATABASE_USER}`,
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    ...(syncs === false ? ["--no-sync"] : []),
  ];
  const identity = user === null ? {} : { uid: user.uid, gid: user.gid };
  try {
    await run(binaries.initdb, argv, { cwd: half, env: { LC_ALL: "C", TZ: "UTC", PATH: "/usr/bin:/bin" }, ...identity });
  } catch (cause) {
    const output = cause instanceof Error && "stderr" in cause ? String(cause.stderr) : String(cause);
    const logs = output.trim().split("\n").slice(-10);
    if (/No space left on device/i.test(output)) throw new EngineError("DISK_FULL", `there is no space left for ${half}`, { cause, logs });
    throw new EngineError("PLANE_FAILED", `initdb could not make the database folder: ${logs.at(-1)}`, { cause, logs });
  }
}

/** What processes left that are gone. One that lives may be at work on its own just now. */
async function removeHalfMade(folder: string): Promise<void> {
  const prefix = `${basename(folder)}.`;
  for (const name of await readdir(dirname(folder))) {
    if (!name.startsWith(prefix) || !name.endsWith(".init")) continue;
    const pid = Number(name.slice(prefix.length).split(".")[0]);
    if (!isAlive(pid)) await rm(join(dirname(folder), name), { recursive: true, force: true });
  }
}

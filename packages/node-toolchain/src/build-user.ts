import { createHash } from "node:crypto";
import { chmod, mkdir } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import type { Identity, PluginContext } from "@helixstack/sdk";
import { type OsUser, engineUser, firstClosed, giveTo, neededByCommands } from "@helixstack/sdk/exec";
import { inheritedFolders } from "./search-path.ts";

// Above the user ids of services (see the plugin `process`), below the sign bit.
const FIRST_UID = 2_100_000_000;
const UIDS = 40_000_000;

/** What an operator sets of a builder. */
export interface BuilderConfig {
  readonly userPerEnvironment: boolean;
}

/** Whom a build's commands run as, and where they keep their caches. */
export interface Builder {
  /** Null: the engine's own user. */
  readonly user: OsUser | null;
  readonly home: string;
  /** Folders with programs. One that the user may not look into is left out: a shell would take what is not there for what is forbidden. */
  readonly programs: readonly string[];
}

/** The user id that belongs to the builds of one environment alone: its secrets are nobody else's. Pure. */
export function builderUid({ installation, environment }: Pick<Identity, "installation" | "environment">): number {
  return FIRST_UID + (createHash("sha256").update(`${installation}\0${environment}`).digest().readUInt32BE() % UIDS);
}

/**
 * Started as root, builds of each environment run as a user of their own, with a home and caches of their own, so that what a package runs while it installs reads
 * neither the engine's keys nor the secrets of others. Otherwise they run as the engine's own user, because that is no root, the operator wants it so, or that
 * user could not reach what it needs, which is logged.
 */
export async function builderFor(
  ctx: PluginContext,
  { folder, programs }: { folder: string; programs: readonly string[] },
): Promise<Builder> {
  const shared = { user: null, home: ctx.home, programs: inheritedFolders() };
  if (engineUser().uid !== 0 || !(ctx.config as Partial<BuilderConfig>).userPerEnvironment) return shared;
  // This folder is the plugin's own; what is above it is the home's matter.
  await chmod(ctx.home, 0o711);
  for (const path of [...neededByCommands(), ...programs.filter(isAbsolute), dirname(folder), ctx.home]) {
    const closed = await firstClosed(path);
    if (closed === null) continue;
    ctx.log.warn(`the build runs as root: a user of its own could not pass ${closed}, which is on the way to ${path}`);
    return shared;
  }
  const uid = builderUid(ctx.identity);
  const user = { uid, gid: uid };
  const home = join(ctx.home, "builders", String(uid));
  await mkdir(dirname(home), { recursive: true, mode: 0o711 });
  await mkdir(home, { recursive: true, mode: 0o700 });
  await giveTo(user, home);
  const closed = await Promise.all(shared.programs.map(firstClosed));
  return { user, home, programs: shared.programs.filter((_, i) => closed[i] === null) };
}

/** Lends a folder to the build's user for one command. Nothing that the command leaves running can change it afterwards. */
export async function lent<T>({ user }: Builder, { folder, use }: { folder: string; use: () => Promise<T> }): Promise<T> {
  if (user === null) return use();
  await giveTo(user, folder);
  try {
    return await use();
  } finally {
    await giveTo(engineUser(), folder);
  }
}

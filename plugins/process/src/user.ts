import { chmod } from "node:fs/promises";
import { dirname } from "node:path";
import type { Identity, PluginContext, RevisionSpec, VolumeMount } from "@helixstack/sdk";
import { type OsUser, derivedUser, engineUser, firstClosed, giveTo, sharingUser } from "@helixstack/sdk/exec";
import { staticServerEntry } from "@helixstack/static-server";
import type { Config } from "./config.ts";
import { attempt } from "./failures.ts";

/** Whom a service runs as. */
export type User = OsUser;

/** The user id that belongs to one service alone. Derived from its ids, so that nothing has to be remembered. Pure. */
export function uidOf({ installation, unit }: Pick<Identity, "installation" | "unit">): number {
  return derivedUser(installation, unit).uid;
}

/**
 * Started as root, each service gets a user of its own, so that it can read neither the engine's keys nor another service's files. Null:
 * it runs as the engine's own user, because that is no root, the operator wants it so, or that user could not reach what it needs.
 */
export async function userOf(ctx: PluginContext<Config>, spec: RevisionSpec): Promise<User | null> {
  if (engineUser().uid !== 0 || !ctx.config.userPerService) return null;
  // This folder is the plugin's own; what is above it is the home's matter.
  await attempt("open the plugin's folder", () => chmod(ctx.home, 0o711));
  const needed = [process.execPath, ctx.home, ...spec.volumes.map(({ handle }) => dirname(handle.id))];
  for (const path of spec.artifact.kind === "static-site" ? [...needed, staticServerEntry] : needed) {
    const closed = await firstClosed(path);
    if (closed === null) continue;
    ctx.log.warn(`the service runs as root: a user of its own could not pass ${closed}, which is on the way to ${path}`);
    return null;
  }
  if (spec.volumes.some(isShared)) return sharingUser(ctx.identity);
  const uid = uidOf(ctx.identity);
  return { uid, gid: uid };
}

/** Whether revisions, on this runtime and on others, write a volume at the same time. */
export function isShared({ writers }: Pick<VolumeMount, "writers">): boolean {
  return writers === "many";
}

/** Makes folders, with all that is in them, the user's own and closed to others. Those that are already are left alone. */
export async function give(user: User, folders: readonly string[]): Promise<void> {
  for (const folder of folders) await attempt(`give ${folder} to user ${user.uid}`, () => giveTo(user, folder));
}

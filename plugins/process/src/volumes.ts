import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { PluginError, type Owned, type PluginContext, type VolumeHandle } from "@helixstack/sdk";
import { engineUser, removeTree } from "@helixstack/sdk/exec";
import { findUnits, type UnitStatus } from "./client.ts";
import type { Config } from "./config.ts";
import { attempt } from "./failures.ts";
import { give } from "./user.ts";

/**
 * A volume is a folder of this machine. The same folder serves the `docker` runtime, so that a service keeps its data when it changes
 * its runtime.
 */
export async function ensureVolume(ctx: PluginContext<Config>): Promise<VolumeHandle> {
  const folder = join(ctx.config.volumes, ctx.identity.unit);
  await attempt("make the volume", () => mkdir(folder, { recursive: true, mode: 0o711 }));
  return { kind: "host-path", id: folder };
}

export async function destroyVolume(ctx: PluginContext<Config>, { handle }: { readonly handle: VolumeHandle }): Promise<void> {
  if (handle.id !== join(ctx.config.volumes, ctx.identity.unit)) {
    throw new PluginError("FOREIGN_RESOURCE", `${handle.id} is not the folder of volume ${ctx.identity.unit}`);
  }
  await attempt("remove the volume", () => removeTree(handle.id));
}

/** The label under which a unit names the volumes that belong to its user while it runs. */
export const GIVEN = "helix.volumes";

/**
 * Hands volumes back to the engine's user, to whom they belong while no process uses them: every runtime of this machine finds them
 * so. Not while another revision of the service runs.
 */
export async function handBackVolumes(ctx: PluginContext<Config>, units: readonly Pick<UnitStatus, "labels">[]): Promise<void> {
  const given = new Set(units.flatMap(({ labels }) => JSON.parse(labels[GIVEN] ?? "[]") as string[]));
  if (given.size === 0) return;
  const siblings = await findUnits(ctx, { "helix.installation": ctx.identity.installation, "helix.unit": ctx.identity.unit });
  if (siblings.every(({ pid }) => pid === null)) await give(engineUser(), [...given]);
}

/** All volumes of this home. Their folders are pure data, so only the unit's id is known of them. */
export async function listVolumes(ctx: PluginContext<Config>, installation: string): Promise<Owned[]> {
  const names = await readdir(ctx.config.volumes).catch(() => []);
  return names.map((unit) => ({
    identity: { installation, organization: "", project: "", environment: "", unit, revision: unit },
    kind: "volume",
    id: join(ctx.config.volumes, unit),
    description: `volume folder ${join(ctx.config.volumes, unit)}`,
  }));
}

import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { PluginError, type Owned, type PluginContext, type VolumeHandle } from "@helixstack/sdk";
import type { Config } from "./config.ts";
import { attempt } from "./failures.ts";

/**
 * A volume is a folder of this machine. The same folder serves the `docker` runtime, so that a service keeps its data when it changes
 * its runtime.
 */
export async function ensureVolume(ctx: PluginContext<Config>): Promise<VolumeHandle> {
  const folder = join(ctx.config.volumes, ctx.identity.unit);
  await attempt("make the volume", () => mkdir(folder, { recursive: true }));
  return { kind: "host-path", id: folder };
}

export async function destroyVolume(ctx: PluginContext<Config>, { handle }: { readonly handle: VolumeHandle }): Promise<void> {
  if (handle.id !== join(ctx.config.volumes, ctx.identity.unit)) {
    throw new PluginError("FOREIGN_RESOURCE", `${handle.id} is not the folder of volume ${ctx.identity.unit}`);
  }
  await attempt("remove the volume", () => rm(handle.id, { recursive: true, force: true, maxRetries: 3 }));
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

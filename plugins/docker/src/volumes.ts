import { mkdir, rm } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { PluginError, type PluginContext, type VolumeHandle } from "@helixstack/sdk";
import type { Config } from "./config.ts";

/**
 * A volume is a folder of this machine, bound into containers. The same folder serves the `process` runtime, so that a service keeps its data
 * when it changes its runtime.
 */
export async function ensureVolume(ctx: PluginContext<Config>): Promise<VolumeHandle> {
  const folder = join(ctx.config.volumes, ctx.identity.unit);
  await mkdir(folder, { recursive: true });
  return { kind: "host-path", id: folder };
}

export async function destroyVolume(ctx: PluginContext<Config>, { handle }: { handle: VolumeHandle }): Promise<void> {
  if (!isAbsolute(handle.id) || join(ctx.config.volumes, ctx.identity.unit) !== handle.id) {
    throw new PluginError("FOREIGN_RESOURCE", `${handle.id} is not the folder of volume ${ctx.identity.unit}`);
  }
  await rm(handle.id, { recursive: true, force: true });
}

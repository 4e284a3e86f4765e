import { ownerOf, planRevision, type Owned, type PluginContext, type RuntimePlane } from "@helixstack/sdk";
import { Type } from "typebox";
import { type ContainerInfo, ask, engineOf, listContainers, removeContainer } from "./client.ts";
import { stateSchema, type Config, type State } from "./config.ts";
import { ensureInstance, lookAround } from "./instances.ts";
import { readLogs } from "./logs.ts";
import { containerName } from "./names.ts";
import { ensureNetwork, removeUnusedNetwork } from "./network.ts";
import { isInstance, observeContainers, observeRevision, revisionContainers } from "./observe.ts";
import { runTask } from "./run.ts";
import { removeSecrets } from "./secrets.ts";
import { destroyVolume, ensureVolume } from "./volumes.ts";

export const runtime: RuntimePlane<Config, State> = {
  accepts: ["oci-image", "node-bundle", "static-site"],
  exposes: "http",
  fencing: "names",
  spec: Type.Object({}, { additionalProperties: false }),
  state: stateSchema,
  stateVersion: 1,

  observe: (ctx) => observeRevision(ctx),

  plan: planRevision,

  async apply(ctx, { spec }) {
    const around = await lookAround(ctx, spec);
    await removeSurplus(ctx, { containers: around.containers, replicas: spec.replicas });
    const ids: string[] = [];
    for (let index = 0; index < spec.replicas; index++) ids.push(await ensureInstance(ctx, { spec, index, around }));
    const observed = await observeContainers(ctx, ids);
    return observed ?? { state: { image: around.image }, phase: "exited", endpoints: [], instances: [], specDigest: null };
  },

  async destroy(ctx, { graceMs }) {
    const revision = { "helix.installation": ctx.identity.installation, "helix.revision": ctx.identity.revision };
    const containers = await listContainers(ctx, revision);
    await Promise.all(containers.map((container) => stopAndRemove(ctx, { container, graceMs })));
    await removeSecrets(ctx);
    await removeUnusedNetwork(ctx);
  },

  async list(ctx, { installation }): Promise<readonly Owned[]> {
    const containers = await listContainers(ctx, { "helix.installation": installation });
    return containers.map((container) => ({
      identity: ownerOf(container.Labels),
      kind: container.Labels["helix.kind"] ?? "revision",
      id: container.Id,
      description: `container ${container.Names[0]?.slice(1)}, ${container.Status}`,
    }));
  },

  async suspend(ctx, { how, graceMs }) {
    for (const { Id, State } of await revisionContainers(ctx)) {
      const container = engineOf(ctx).getContainer(Id);
      if (how === "freeze" && State === "running") await ask("freeze", () => container.pause());
      if (how === "stop" && State !== "exited" && State !== "created") await stop(ctx, { id: Id, paused: State === "paused", graceMs });
    }
    const observed = await observeRevision(ctx);
    return observed ?? { state: { image: "" }, phase: "stopped", endpoints: [], instances: [], specDigest: null };
  },

  logs: readLogs,
  run: runTask,
  hostAddress: async (ctx) => ({ address: (await ensureNetwork(ctx)).gateway }),
  ensureVolume,
  destroyVolume,
};

async function removeSurplus(
  ctx: PluginContext<Config>,
  { containers, replicas }: { containers: readonly ContainerInfo[]; replicas: number },
): Promise<void> {
  const wanted = new Set(Array.from({ length: replicas }, (_, index) => `/${containerName(ctx.identity, index)}`));
  const surplus = containers.filter((container) => isInstance(ctx, container) && !container.Names.some((name) => wanted.has(name)));
  for (const { Id } of surplus) await removeContainer(ctx, Id);
}

/** A frozen container is not thawed in order to end: it must run nothing. */
async function stopAndRemove(
  ctx: PluginContext<Config>,
  { container, graceMs }: { container: { Id: string; State: string }; graceMs: number },
): Promise<void> {
  if (container.State === "running") await stop(ctx, { id: container.Id, paused: false, graceMs });
  await removeContainer(ctx, container.Id);
}

async function stop(ctx: PluginContext<Config>, { id, paused, graceMs }: { id: string; paused: boolean; graceMs: number }): Promise<void> {
  const container = engineOf(ctx).getContainer(id);
  if (paused) return void (await ask("end a frozen container", () => container.kill()));
  await ask("stop", async () => {
    await container.stop({ t: Math.ceil(graceMs / 1000) }).catch((error: { statusCode?: number }) => {
      if (error.statusCode !== 304 && error.statusCode !== 404) throw error;
    });
  });
}

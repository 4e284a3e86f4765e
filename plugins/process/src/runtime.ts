import { readdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { type PluginContext, type RuntimePlane, planRevision } from "@helixstack/sdk";
import { removeTree } from "@helixstack/sdk/exec";
import { Type } from "typebox";
import { ask, findUnits, type UnitStatus } from "./client.ts";
import { type Config, type State, stateSchema } from "./config.ts";
import { attempt } from "./failures.ts";
import { ensureInstances, removeUnit } from "./instances.ts";
import { listOwned } from "./list.ts";
import { readLogs } from "./logs.ts";
import { foldersOf, revisionLabels } from "./names.ts";
import { observeRevision } from "./observe.ts";
import { runTask } from "./run.ts";
import { memoryFolder } from "./secrets.ts";
import { destroyVolume, ensureVolume, handBackVolumes } from "./volumes.ts";

/**
 * Revisions as processes of this machine, kept by the supervisor of the home. Memory limits are enforced by measuring: above the limit
 * the instance is killed and started again. Processor limits are not enforced.
 */
export const runtime: RuntimePlane<Config, State> = {
  accepts: ["node-bundle", "static-site"],
  exposes: "http",
  fencing: "fence",
  spec: Type.Object({}, { additionalProperties: false }),
  state: stateSchema,
  stateVersion: 1,

  observe: (ctx) => observeRevision(ctx),

  plan: planRevision,

  async apply(ctx, { spec }) {
    await ensureInstances(ctx, spec);
    return (await observeRevision(ctx)) ?? NOTHING;
  },

  async destroy(ctx, { graceMs }) {
    const { installation, revision } = ctx.identity;
    const units = await findUnits(ctx, { "helix.installation": installation, "helix.revision": revision });
    await stopUnits(ctx, { units, graceMs });
    await handBackVolumes(ctx, units);
    await Promise.all(units.map(({ name }) => removeUnit(ctx, { name, graceMs: 0 })));
    await removeFolders(ctx);
  },

  list: listOwned,

  async suspend(ctx, { how, graceMs }) {
    const units = await findUnits(ctx, revisionLabels(ctx.identity));
    if (how === "stop") {
      await stopUnits(ctx, { units, graceMs });
      await handBackVolumes(ctx, units);
    } else {
      await ask(ctx, "freeze the revision", async (supervisor) => {
        await Promise.all(units.map(({ name }) => supervisor.freeze(name, { fence: ctx.fence })));
      });
    }
    return (await observeRevision(ctx)) ?? NOTHING;
  },

  logs: readLogs,
  run: runTask,
  ensureVolume: (ctx) => ensureVolume(ctx),
  destroyVolume,
};

const NOTHING = { state: {}, phase: "stopped", endpoints: [], instances: [], specDigest: null } as const;

async function stopUnits(
  ctx: PluginContext<Config>,
  { units, graceMs }: { readonly units: readonly UnitStatus[]; readonly graceMs: number },
): Promise<void> {
  // A frozen process is not thawed in order to end: it must run nothing.
  const graceOf = (unit: UnitStatus): number => (unit.phase === "frozen" ? 0 : graceMs);
  await ask(ctx, "stop the revision", async (supervisor) => {
    await Promise.all(units.map((unit) => supervisor.stop(unit.name, { graceMs: graceOf(unit), fence: ctx.fence }).catch(ignoreUnknown)));
  });
}

function ignoreUnknown(error: { readonly code?: string }): void {
  if (error.code !== "NOT_FOUND") throw error;
}

/** Removes what a process that was never started, or only half removed, may have left. */
async function removeFolders(ctx: PluginContext<Config>): Promise<void> {
  const { revision } = foldersOf(ctx.home, ctx.identity.revision, "0");
  await attempt("remove the work folder", () => removeTree(revision));
  const memory = memoryFolder(ctx.config);
  for (const name of await readdir(memory).catch(() => [])) {
    if (name.includes(`-${ctx.identity.revision}-`)) await removeTree(join(memory, name));
  }
  // Stays while another revision uses it.
  await rmdir(memory).catch(() => undefined);
}

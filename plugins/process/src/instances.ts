import { PluginError, type PluginContext, type RevisionSpec, specDigest } from "@helixstack/sdk";
import { ask, findUnits, type UnitStatus } from "./client.ts";
import type { Config } from "./config.ts";
import { revisionLabels, unitName } from "./names.ts";
import { lastLines } from "./logs.ts";
import { fillSecrets, prepareSurroundings, requireFit } from "./surroundings.ts";
import { instanceUnit } from "./units.ts";
import { exists } from "./work-folder.ts";

const NOT_STARTED = 127;

/** Makes every instance of the revision run as the spec says, and no other. */
export async function ensureInstances(ctx: PluginContext<Config>, spec: RevisionSpec): Promise<void> {
  await requireFit(ctx, spec);
  const found = await findUnits(ctx, revisionLabels(ctx.identity));
  const surplus = found.filter(({ labels }) => Number(labels["helix.instance"]) >= spec.replicas);
  await Promise.all(surplus.map(({ name }) => removeUnit(ctx, { name, graceMs: spec.graceMs })));
  const indexes = Array.from({ length: spec.replicas }, (_, index) => index);
  await Promise.all(indexes.map((index) => ensureInstance(ctx, { spec, index, found })));
}

/** Stops and removes one process with all that is its own. */
export async function removeUnit(
  ctx: PluginContext<Config>,
  { name, graceMs }: { readonly name: string; readonly graceMs: number },
): Promise<void> {
  await ask(ctx, `remove ${name}`, (supervisor) => supervisor.remove(name, { graceMs, fence: ctx.fence }));
}

interface InstanceInput {
  readonly spec: RevisionSpec;
  readonly index: number;
  readonly found: readonly UnitStatus[];
}

async function ensureInstance(ctx: PluginContext<Config>, { spec, index, found }: InstanceInput): Promise<void> {
  const existing = found.find(({ labels }) => labels["helix.instance"] === String(index));
  const name = existing?.name ?? unitName(ctx.identity, String(index));
  const surroundings = await prepareSurroundings(ctx, { spec, suffix: String(index), name });
  const isSecretHere = surroundings.secretsFolder === null || (await exists(surroundings.secretsFolder));
  if (existing?.specDigest === specDigest(spec) && isSecretHere) {
    await ask(ctx, `start ${name}`, (supervisor) => supervisor.thaw(name, { fence: ctx.fence }));
    return checkStarted(ctx, name);
  }
  await fillSecrets(ctx, spec, surroundings);
  const unit = { ...instanceUnit(ctx, { ...surroundings, spec, index }), name };
  await ask(ctx, `start ${name}`, (supervisor) => supervisor.ensure(unit, { fence: ctx.fence, graceMs: spec.graceMs }));
  await checkStarted(ctx, name);
}

/** A command that cannot be started at all will not come up by waiting for it. */
async function checkStarted(ctx: PluginContext<Config>, name: string): Promise<void> {
  const status = await ask(ctx, `look at ${name}`, (supervisor) => supervisor.status(name));
  if (status === null || status.pid !== null || status.lastExit?.code !== NOT_STARTED) return;
  const logs = await lastLines(ctx, name);
  const reason = logs.findLast((line) => line.startsWith("helix: "));
  if (reason === undefined) return;
  throw new PluginError("START_FAILED", reason.slice("helix: ".length), { logs });
}

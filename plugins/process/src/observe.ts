import type { Endpoint, ObservedInstance, ObservedRevision, PluginContext, RevisionPhase } from "@helixstack/sdk";
import { findUnits, type UnitStatus } from "./client.ts";
import type { Config, State } from "./config.ts";
import { revisionLabels } from "./names.ts";

/** The revision as its processes are just now; null when there is none. */
export async function observeRevision(ctx: PluginContext<Config>): Promise<ObservedRevision<State> | null> {
  const units = await findUnits(ctx, revisionLabels(ctx.identity), { usage: true });
  if (units.length === 0) return null;
  units.sort((a, b) => indexOf(a) - indexOf(b));
  const instances = units.map(observeInstance);
  const digests = new Set(units.map(({ labels }) => labels["helix.spec"]));
  return {
    state: {},
    phase: phaseOf(instances),
    endpoints: units.filter(({ phase }) => phase === "running").flatMap(endpointOf),
    instances,
    specDigest: digests.size === 1 ? (units[0]?.labels["helix.spec"] ?? null) : null,
  };
}

/** The number of an instance. */
export function indexOf(unit: Pick<UnitStatus, "labels">): number {
  return Number(unit.labels["helix.instance"] ?? 0);
}

/** The phase of a whole revision. Pure. */
export function phaseOf(instances: readonly Pick<ObservedInstance, "phase">[]): RevisionPhase {
  const phases = instances.map(({ phase }) => phase);
  if (phases.every((phase) => phase === "running")) return "running";
  if (phases.some((phase) => phase === "running")) return "degraded";
  if (phases.every((phase) => phase === "frozen")) return "frozen";
  return phases.every((phase) => phase === "stopped") ? "stopped" : "exited";
}

function observeInstance(unit: UnitStatus): ObservedInstance {
  return {
    phase: unit.phase,
    restarts: unit.restarts,
    lastExit: unit.lastExit,
    memoryBytes: unit.usage?.rssBytes ?? null,
    cpuSeconds: unit.usage?.cpuSeconds ?? null,
  };
}

function endpointOf({ port }: UnitStatus): Endpoint[] {
  return port === null ? [] : [{ kind: "http", host: "127.0.0.1", port }];
}

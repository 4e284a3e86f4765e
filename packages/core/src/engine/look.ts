import { type ObservedRevision, type ObservedTable, specDigest } from "@helixstack/sdk";
import type { LiveService, LiveState } from "../domain/planner.ts";
import { routesTo } from "../domain/route-table.ts";
import type { ReleaseRecord, RevisionRecord, RouteTableRecord } from "../ports/index.ts";
import { readPlugin } from "./call.ts";
import type { EngineDeps } from "./deps.ts";
import { routes } from "./gather.ts";
import { type Place, identityOf } from "./place.ts";
import { askRevision } from "./revisions.ts";
import { toEngineError } from "../domain/errors.ts";

/** What `observe` said of a revision; a provider that does not answer is not a revision that is gone. */
export type Sight = ObservedRevision | null | "unreachable";

/** What serves now: as the ledger has it, and as it is seen. Writes nothing. */
export async function lookAtLive(deps: EngineDeps, place: Place, live: ReleaseRecord): Promise<LiveState> {
  const { scope, environment } = place;
  const [revisions, tables] = await Promise.all([
    deps.ledger.listRevisions(scope, { environment: environment.id, states: ["serving"] }),
    deps.ledger.routeTables(scope, { environment: environment.id }),
  ]);
  const [sights, served] = await Promise.all([lookAtRevisions(deps, place, revisions), lookAtTables(deps, place, tables)]);
  const services = Object.entries(live.services).map(([name, released]): [string, LiveService] => {
    const { build, artifact, runtime, runtimeVersion, delivery, secrets, specDigest } = released;
    const revision = revisions.find(({ service }) => service === name);
    const isReached = !revision || !routes(deps, released) || (served.has(delivery) && isRoutedTo(tables, { delivery, revision }));
    const drift = revision ? driftOf(revision, sights.get(revision.id)!) : null;
    const seen = { revision: revision?.id ?? null, drift, isReached };
    return [name, { build, artifact, runtime, runtimeVersion, delivery, secrets, specDigest, ...seen }];
  });
  return { manifest: live.manifest, services: Object.fromEntries(services) };
}

/** Observes revisions side by side. */
export async function lookAtRevisions(
  deps: EngineDeps,
  place: Place,
  revisions: readonly RevisionRecord[],
): Promise<ReadonlyMap<string, Sight>> {
  const sights = revisions.map(async (revision) => {
    const look = readPlugin<ObservedRevision | null>(deps, place, askRevision(place, revision, { verb: "observe" }));
    return [revision.id, await look.catch(unreachable)] as const;
  });
  return new Map(await Promise.all(sights));
}

/** Providers that serve the table which the ledger believes in. */
export async function lookAtTables(deps: EngineDeps, place: Place, tables: readonly RouteTableRecord[]): Promise<ReadonlySet<string>> {
  const asked = tables.map(async ({ plugin, unit, table, generation, pluginState }) => {
    if (table === null) return [];
    const ask = {
      plane: "delivery",
      plugin,
      verb: "observe",
      identity: identityOf(place, { unit }),
      input: { prior: pluginState },
    } as const;
    const observed = await readPlugin<ObservedTable | null>(deps, place, ask).catch(unreachable);
    const isAsBelieved =
      observed !== null && observed !== "unreachable" && observed.generation === table.generation && table.generation === generation;
    return isAsBelieved ? [plugin] : [];
  });
  return new Set((await Promise.all(asked)).flat());
}

/** What is wrong with a revision that should be running; null when nothing is. */
export function driftOf(revision: RevisionRecord, sight: Sight): string | null {
  if (sight === null) return "gone";
  if (sight === "unreachable") return sight;
  if (sight.phase !== "running") return sight.phase;
  return sight.specDigest === null || sight.specDigest === specDigest(revision.spec) ? null : "changed";
}

function isRoutedTo(tables: readonly RouteTableRecord[], { delivery, revision }: { delivery: string; revision: RevisionRecord }): boolean {
  const table = tables.find(({ plugin }) => plugin === delivery)?.table ?? null;
  return routesTo(table, { service: revision.service, revision: revision.id });
}

function unreachable(thrown: unknown): "unreachable" {
  if (toEngineError(thrown).code === "UNAVAILABLE") return "unreachable";
  throw thrown;
}

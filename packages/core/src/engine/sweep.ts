import type { Owned, PlaneName } from "@helixstack/sdk";
import { toEngineError } from "../domain/errors.ts";
import { timeOfId } from "../domain/ids.ts";
import type { EnvironmentRecord, RevisionRecord, RouteTableRecord, Scope, VolumeRecord } from "../ports/index.ts";
import { readPlugin } from "./call.ts";
import type { EngineDeps } from "./deps.ts";
import { driftOf, lookAtRevisions, lookAtTables } from "./look.ts";
import { type Place, identityOf, placeOf } from "./place.ts";
import type { Drift, Orphan, SweepReport } from "./views.ts";

/** What the ledger believes in. */
interface Known {
  readonly environments: readonly EnvironmentRecord[];
  readonly revisions: readonly RevisionRecord[];
  readonly tables: readonly RouteTableRecord[];
  readonly volumes: readonly VolumeRecord[];
  readonly restoredFrom: string | null;
  readonly restoredAt: string | null;
}

/** Compares the ledger with the world, both ways: what is not as it should be, and what nobody remembers. Changes nothing. */
export async function sweep(deps: EngineDeps, scope: Scope): Promise<SweepReport> {
  const { ledger } = deps;
  const [{ id: installation, restoredFrom, restoredAt }, environments, revisions, tables, volumes] = await Promise.all([
    ledger.installation(),
    ledger.listEnvironments(scope),
    ledger.listRevisions(scope, {}),
    ledger.routeTables(scope, {}),
    ledger.volumes(scope, {}),
  ]);
  const known = { environments, revisions, tables, volumes, restoredFrom, restoredAt };
  const [drift, lists] = await Promise.all([
    Promise.all(environments.map((environment) => driftIn(deps, placeOf(scope, { installation, environment }), known))),
    Promise.all(listers(deps).map((lister) => listOrphans(deps, { ...lister, scope, installation, known }))),
  ]);
  return {
    drift: drift.flat(),
    orphans: lists.flatMap((list) => ("orphans" in list ? list.orphans : [])),
    unknown: lists.flatMap((list) => ("error" in list ? [list] : [])),
  };
}

/** After `helix down` a warm revision is stopped: it runs nothing either way, and a rollback starts it. */
const AT_REST: ReadonlySet<string> = new Set(["frozen", "stopped"]);

async function driftIn(deps: EngineDeps, place: Place, known: Known): Promise<readonly Drift[]> {
  const { id } = place.environment;
  const revisions = known.revisions.filter(({ environment, state }) => environment === id && (state === "serving" || state === "warm"));
  const tables = known.tables.filter(({ environment, table }) => environment === id && table !== null);
  const [sights, served] = await Promise.all([lookAtRevisions(deps, place, revisions), lookAtTables(deps, place, tables)]);
  const drifted = revisions.flatMap((revision): Drift[] => {
    const sight = sights.get(revision.id)!;
    const isWarmAsMeant = revision.state === "warm" && sight !== null && sight !== "unreachable" && AT_REST.has(sight.phase);
    const drift = isWarmAsMeant ? null : driftOf(revision, sight);
    const should = revision.state === "warm" ? "frozen" : "running";
    const description = `${revision.service} of ${place.project.name} ${place.environment.name} should be ${should} and is ${drift ?? "running"}`;
    return drift === null && revision.state === "serving"
      ? []
      : isWarmAsMeant
        ? []
        : [{ kind: "revision", id: revision.id, service: revision.service, description }];
  });
  const lost = tables.filter(({ plugin }) => !served.has(plugin));
  return [
    ...drifted,
    ...lost.map(({ unit, plugin }) => ({
      kind: "routes",
      id: unit,
      service: null,
      description: `${plugin} does not serve the table of ${place.environment.name} that it should`,
    })),
  ];
}

interface Lister {
  readonly plane: PlaneName;
  readonly plugin: string;
}

function listers({ plugins }: EngineDeps): readonly Lister[] {
  return plugins
    .list()
    .flatMap(({ manifest: { name, planes } }) => [
      ...(planes.runtime ? [{ plane: "runtime", plugin: name } as const] : []),
      ...(planes.delivery ? [{ plane: "delivery", plugin: name } as const] : []),
    ]);
}

type Listed = { readonly orphans: readonly Orphan[] } | SweepReport["unknown"][number];

async function listOrphans(
  deps: EngineDeps,
  { plane, plugin, scope, installation, known }: Lister & { scope: Scope; installation: string; known: Known },
): Promise<Listed> {
  const place: Place = { scope, installation, project: { id: "none", name: "none" }, environment: { id: "none", name: "none" } };
  try {
    const input = { installation };
    const owned = await readPlugin<readonly Owned[]>(deps, place, { plane, plugin, verb: "list", identity: identityOf(place, {}), input });
    const orphans = owned.filter((thing) => !isKnown(thing, known));
    return {
      orphans: orphans.map((thing) => {
        const { kind, id, description } = thing;
        return { plugin, kind, id, description, isNewer: isNewer(thing, known) };
      }),
    };
  } catch (thrown) {
    return { plugin, error: toEngineError(thrown).toDocument() };
  }
}

/** Revisions carry the time of their deployment. A table carries none; the ledger forgets no unit but by a restore, so one that it does not know is newer. */
function isNewer({ identity }: Owned, { restoredFrom, restoredAt }: Known): boolean {
  if (restoredFrom === null) return false;
  const madeAt = timeOfId(identity.revision) ?? timeOfId(identity.unit);
  if (madeAt === null) return true;
  return madeAt >= Date.parse(restoredFrom) && (restoredAt === null || madeAt <= Date.parse(restoredAt));
}

/** Helpers (a network) belong to whatever they carry the ids of. */
function isKnown({ kind, identity }: Owned, { environments, revisions, tables, volumes }: Known): boolean {
  if (kind === "revision") return revisions.some(({ id }) => id === identity.revision);
  if (kind === "volume") return volumes.some(({ id, state }) => id === identity.unit && (state === "wanted" || state === "there"));
  if (kind === "routes") return tables.some(({ unit }) => unit === identity.unit);
  return revisions.some(({ id }) => id === identity.revision) || environments.some(({ id }) => id === identity.environment);
}

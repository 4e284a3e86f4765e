import type { ObservedTable } from "@helixstack/sdk";
import { epochFloor } from "../domain/epoch.ts";
import { type RoutedService, isSameTable, routeTable } from "../domain/route-table.ts";
import { undoId } from "../domain/step-machine.ts";
import { step } from "../domain/plan-steps.ts";
import type { LedgerWrite, RevisionRecord, RouteTableRecord } from "../ports/index.ts";
import { type Clearance, carryLive } from "./clearance.ts";
import { bindAddresses } from "./host-address.ts";
import type { StepRef } from "./journal.ts";
import { identityOf } from "./place.ts";
import { nextRevision } from "./revisions.ts";
import { type Run, act, manifestOf, planOf, releaseOf } from "./run.ts";

/** Requests wait for a hand-over no longer than this, milliseconds, and no longer than the new revision may take to become healthy. */
const LONGEST_HOLD_MS = 60_000;

/**
 * Which table: `live` is what serves now; `reserved` has the new services' addresses too, without anybody there; `held` is that, and requests for
 * services that are handed over wait; `next` is what the deployment is for; `empty` answers 503 for everything that serves now.
 */
export type TableKind = "live" | "reserved" | "held" | "next" | "empty";

/** What is switched. Whatever lets requests through to a release needs the leave to. */
type Switch = { readonly plugin: string; readonly isLost?: boolean } & (
  | { readonly kind: "next" | "live"; readonly clearance: Clearance }
  | { readonly kind: Exclude<TableKind, "next" | "live"> }
);

/**
 * Brings one delivery provider's table to what it should be, with a new generation. Answers with what the ledger shall remember;
 * nothing where the table is so already. `isLost`: the provider was seen to serve something else than the ledger says.
 */
export async function switchTable(run: Run, on: StepRef, { plugin, kind, isLost = false }: Switch): Promise<readonly LedgerWrite[]> {
  const record = await findTable(run, plugin);
  const services = await SERVICES[kind](run, plugin);
  const generation = (record?.generation ?? (await lostGeneration(run))) + 1;
  const table = routeTable({
    project: run.place.project.name,
    environment: run.place.environment.name,
    generation,
    services: await Promise.all(services.map(async (service) => ({ ...service, bind: await bindAddresses(run, service.service) }))),
    kinds: run.deps.plugins.get("delivery", plugin).manifest.planes.delivery!.routes,
    addresses: record?.addresses ?? [],
  });
  if (!isLost && isServed(record) && isSameTable(record.table, table)) return [];
  const unit = record?.unit ?? (await unitOf(run, plugin));
  const observed = await act<ObservedTable>(run, on, {
    plane: "delivery",
    plugin,
    verb: "apply",
    identity: identityOf(run.place, { unit }),
    input: { table, prior: record?.pluginState ?? null },
    writes: [{ write: "routes.intend", plugin, unit, generation }],
  });
  return [{ write: "routes.set", plugin, table: observed.table, pluginState: observed.state, addresses: observed.addresses }];
}

/** Removes the environment's table at a provider. */
export async function removeTable(run: Run, on: StepRef, plugin: string): Promise<readonly LedgerWrite[]> {
  const record = await findTable(run, plugin);
  if (!record) return [];
  const identity = identityOf(run.place, { unit: record.unit });
  await act(run, on, { plane: "delivery", plugin, verb: "destroy", identity, input: { prior: record.pluginState } });
  return [{ write: "routes.set", plugin, table: null, pluginState: null, addresses: [] }];
}

/** Puts back what served before the deployment began; nothing is left of a table that has no service then. */
export async function restoreTable(run: Run, on: StepRef, plugin: string): Promise<readonly LedgerWrite[]> {
  const services = await SERVICES.live(run, plugin);
  if (services.length === 0) return removeTable(run, on, plugin);
  return switchTable(run, on, { plugin, kind: "live", clearance: await carryLive(run) });
}

async function findTable(run: Run, plugin: string): Promise<RouteTableRecord | undefined> {
  const tables = await run.deps.ledger.routeTables(run.grip.scope, { environment: run.place.environment.id });
  return tables.find((table) => table.plugin === plugin);
}

/** Whether what was intended last is what is served: a switch with an unknown end has to be made certain. */
function isServed(record: RouteTableRecord | undefined): record is RouteTableRecord {
  return record?.table != null && record.table.generation === record.generation;
}

/** A table that the ledger does not know may be there since before a restore: the new one comes after it. */
async function lostGeneration({ deps }: Run): Promise<number> {
  return epochFloor((await deps.ledger.installation()).epoch);
}

function unitOf({ deps, grip, place }: Run, plugin: string): Promise<string> {
  return deps.ledger.ensureUnit(grip.scope, { environment: place.environment.id, service: "*", plane: "delivery", plugin });
}

type Services = (run: Run, plugin: string) => Promise<readonly Omit<RoutedService, "bind">[]>;

const SERVICES: Readonly<Record<TableKind, Services>> = {
  live: liveServices,
  reserved: reservedServices,
  async held(run, plugin) {
    const handedOver = new Set(planOf(run).services.flatMap(({ service, handOver }) => (handOver ? [service] : [])));
    const services = await reservedServices(run, plugin);
    return services.map((one) => (handedOver.has(one.service) ? { ...one, revision: null, holdMs: holdMs(run, one.service) } : one));
  },
  async next(run, plugin) {
    const revisions = await Promise.all(routedServices(run, plugin).map((service) => nextRevision(run, service)));
    return revisions.flatMap((revision) => (revision ? [routed(revision, releaseOf(run))] : []));
  },
  async empty(run, plugin) {
    const services = await liveServices(run, plugin);
    return services.map(({ service }) => ({ service, revision: null, release: null, holdMs: null }));
  },
};

/** What serves now. A service whose old revision is stopped for its successor goes on holding until the old one is back. */
async function liveServices(run: Run, plugin: string): Promise<readonly Omit<RoutedService, "bind">[]> {
  const { live, deps, grip, place } = run;
  if (!live) return [];
  const serving = await deps.ledger.listRevisions(grip.scope, { environment: place.environment.id, states: ["serving"] });
  return serving
    .filter(
      ({ service }) => live.services[service]?.delivery === plugin && isRouted(run, { runtime: live.services[service].runtime, plugin }),
    )
    .map((revision) => {
      const { service } = revision;
      return isHalted(run, service)
        ? { service, revision: null, release: live.id, holdMs: holdMs(run, service) }
        : routed(revision, live.id);
    });
}

async function reservedServices(run: Run, plugin: string): Promise<readonly Omit<RoutedService, "bind">[]> {
  const live = await liveServices(run, plugin);
  const added = routedServices(run, plugin).filter((service) => !live.some((known) => known.service === service));
  return [...live, ...added.map((service) => ({ service, revision: null, release: null, holdMs: null }))];
}

/** Services of the manifest that this provider brings requests to. */
function routedServices(run: Run, plugin: string): readonly string[] {
  const services = Object.entries(manifestOf(run).services);
  return services.filter(([, { delivery, runtime }]) => delivery === plugin && isRouted(run, { runtime, plugin })).map(([name]) => name);
}

function isRouted({ deps }: Run, { runtime, plugin }: { runtime: string; plugin: string }): boolean {
  const { exposes } = deps.plugins.get("runtime", runtime).manifest.planes.runtime!;
  return deps.plugins.get("delivery", plugin).manifest.planes.delivery!.routes.includes(exposes);
}

function routed(revision: RevisionRecord, release: string): Omit<RoutedService, "bind"> {
  return { service: revision.service, revision, release, holdMs: null };
}

/** Between the stop of the old revision and the end of taking that back. */
function isHalted({ journal }: Run, service: string): boolean {
  const { id } = step("halt", service);
  const [halt, undo] = [journal.entry(id)?.state, journal.entry(undoId(id))?.state];
  const isTouched = halt === "intended" || halt === "done" || halt === "failed";
  return isTouched && undo !== "done" && undo !== "failed";
}

function holdMs(run: Run, service: string): number {
  return Math.min(LONGEST_HOLD_MS, run.manifest?.services[service]?.health.timeoutMs ?? LONGEST_HOLD_MS);
}

import type { ObservedRevision } from "@helixstack/sdk";
import { EngineError, toEngineError } from "../domain/errors.ts";
import type { StepKind } from "../domain/plan.ts";
import { isTerminal } from "../domain/states.ts";
import type { LedgerWrite, RevisionRecord } from "../ports/index.ts";
import { carryLive } from "./clearance.ts";
import { isNotOurs, withRetries } from "./attempt.ts";
import { awaitHealth } from "./health.ts";
import type { StepRef } from "./journal.ts";
import { driftOf, lookAtRevisions, lookAtTables } from "./look.ts";
import { askRevision, seen } from "./revisions.ts";
import { type Run, act } from "./run.ts";
import { switchTable } from "./tables.ts";
import { timeNow } from "./time-now.ts";

const LOOK_MS = 250;

/**
 * Brings the live release back where it is not as it should be: starts what is not running, then routes to where it answers now. It carries the
 * decision that the release was allowed with. A deployment that comes meanwhile goes first,
 * and the repair looks again after it: it may have failed.
 */
export async function runRepair(run: Run): Promise<void> {
  const taken = new AbortController();
  run.signal = AbortSignal.any([run.stop.shutdown, taken.signal]);
  const watch = watchDeployments(run, taken);
  let isInterrupted = false;
  try {
    await bringBack(run);
  } finally {
    isInterrupted = taken.signal.aborted;
    taken.abort();
    await watch;
  }
  run.stop.shutdown.throwIfAborted();
  await run.journal.commit([isInterrupted ? { write: "run.sleep", dueAt: timeNow(run.deps) } : { write: "run.end" }]);
}

async function bringBack(run: Run): Promise<void> {
  const { deps, grip, environment } = run;
  const revisions = await deps.ledger.listRevisions(grip.scope, { environment: environment.id, states: ["serving"] });
  const sights = await lookAtRevisions(deps, run.place, revisions);
  const broken = revisions.filter((revision) => driftOf(revision, sights.get(revision.id)!) !== null);
  await Promise.all(
    broken.map((revision) => tryStep(run, stepOf(run, { kind: "apply", revision }), (ref) => startAgain(run, ref, revision))),
  );
  if (run.signal.aborted) return;
  for (const plugin of await staleTables(run)) {
    const ref = { id: `repair:${grip.run}:route:${plugin}`, kind: "route", service: null } as const;
    await tryStep(run, ref, async () => switchTable(run, ref, { plugin, kind: "live", isLost: true, clearance: await carryLive(run) }));
  }
}

/** A deployment waits until the repair has ended, so that never both have hold of a revision. It is not kept waiting. */
async function watchDeployments({ deps, grip, environment }: Run, taken: AbortController): Promise<void> {
  while (!taken.signal.aborted) {
    await deps.clock.sleep(LOOK_MS, taken.signal).catch(() => {});
    if (taken.signal.aborted) return;
    const page = { environment: environment.id, limit: 1 };
    const [newest] = await deps.ledger.listDeployments(grip.scope, page).then(
      ({ items }) => items,
      () => [],
    );
    if (newest && !isTerminal(newest.state)) taken.abort(new EngineError("ABORTED", "a deployment came, which goes first"));
  }
}

function stepOf({ grip }: Run, { kind, revision }: { kind: StepKind; revision: RevisionRecord }): StepRef {
  return { id: `repair:${grip.run}:${kind}:${revision.service}`, kind, service: revision.service };
}

/** What fails is written down and does not stop the rest: half an application is better than none. */
async function tryStep(run: Run, ref: StepRef, work: (ref: StepRef) => Promise<readonly LedgerWrite[]>): Promise<void> {
  const before = run.journal.entry(ref.id)?.state;
  if (before === "done" || before === "failed") return;
  try {
    const writes = await withRetries(run, ref, () => work(ref));
    await run.journal.end(ref, { state: "done", writes });
  } catch (thrown) {
    const error = toEngineError(thrown).at({ step: ref.id });
    if (isNotOurs(error)) throw error;
    run.stop.shutdown.throwIfAborted();
    if (run.signal.aborted) return;
    run.deps.logger.error("a service could not be brought back", { step: ref.id, code: error.code, error: error.message });
    await run.journal.end(ref, { state: "failed", error: error.toDocument() });
  }
}

/**
 * What a deployment made that died in a hand-over may still have the volume in hand: the cleanup takes it away, and until then the old one waits, so
 * that never two write to it.
 */
async function waitForVolume({ deps, grip, signal }: Run, revision: RevisionRecord): Promise<void> {
  if (!revision.spec.volumes.some(({ writers }) => writers === "single")) return;
  for (;;) {
    signal.throwIfAborted();
    const all = await deps.ledger.listRevisions(grip.scope, {
      environment: grip.environment,
      states: ["starting", "draining", "retiring"],
    });
    if (!all.some(({ service }) => service === revision.service)) return;
    await deps.clock.sleep(LOOK_MS, signal);
  }
}

async function startAgain(run: Run, ref: StepRef, revision: RevisionRecord): Promise<readonly LedgerWrite[]> {
  await waitForVolume(run, revision);
  await carryLive(run);
  const call = askRevision(run.place, revision, { verb: "apply", input: { spec: revision.spec } });
  const observed = await act<ObservedRevision>(run, ref, call);
  await run.journal.commit([{ ...seen(run.deps, revision, observed), from: ["serving"] }]);
  const health = run.live?.manifest.services[revision.service]?.health;
  if (!health) return [];
  const { endpoints } = await awaitHealth(run, { revision: { ...revision, endpoints: observed.endpoints }, health, signal: run.signal });
  return [{ write: "revision.update", id: revision.id, endpoints, from: ["serving"] }];
}

/** Providers that serve something else than the ledger believes, or whose targets have moved. */
async function staleTables(run: Run): Promise<readonly string[]> {
  const { deps, grip, environment, live, place } = run;
  const [tables, serving] = await Promise.all([
    deps.ledger.routeTables(grip.scope, { environment: environment.id }),
    deps.ledger.listRevisions(grip.scope, { environment: environment.id, states: ["serving"] }),
  ]);
  const asBelieved = await lookAtTables(deps, place, tables);
  const isMoved = (plugin: string, table: (typeof tables)[number]["table"]) =>
    serving
      .filter(({ service }) => live?.services[service]?.delivery === plugin)
      .some(({ id, endpoints }) => {
        const targets = (table?.routes ?? []).flatMap((route) => route.targets).filter(({ revision }) => revision === id);
        const answering = endpoints.filter(({ kind }) => kind !== "none");
        return JSON.stringify(targets.map(({ endpoint }) => endpoint)) !== JSON.stringify(answering);
      });
  return tables.filter(({ plugin, table }) => !asBelieved.has(plugin) || isMoved(plugin, table)).map(({ plugin }) => plugin);
}

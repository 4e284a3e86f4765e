import type { ObservedRevision } from "@helixstack/sdk";
import { EngineError, toEngineError } from "../domain/errors.ts";
import { type Housekeeping, housekeeping } from "../domain/housekeeping.ts";
import { step } from "../domain/plan-steps.ts";
import type { RevisionRecord } from "../ports/index.ts";
import { isNotOurs, withRetries } from "./attempt.ts";
import { drainRevisions } from "./drain-revisions.ts";
import { retireRevision } from "./retire-revision.ts";
import { askRevision, seen } from "./revisions.ts";
import { type Run, act } from "./run.ts";

/** When something cannot be removed: the first wait, and the longest, milliseconds. Nothing is ever given up. */
const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 300_000;
/** How often a drain looks whether its revision was taken back into service. */
const LOOK_MS = 250;

/** Drains, freezes and removes what no release serves any more. Holds no environment: every change of a revision's state is guarded. */
export async function runCleanup(run: Run): Promise<void> {
  run.signal = run.stop.shutdown;
  if (await isHandedOn(run)) return run.journal.commit([{ write: "run.end" }]);
  const failures = await keepHouse(run, await plan(run));
  run.stop.shutdown.throwIfAborted();
  const { clock } = run.deps;
  const next = await plan(run);
  const isLeft = next.freeze.length + next.drain.length + next.retire.length > 0;
  if (isLeft) return sleepUntil(run, clock.now() + (failures === 0 ? LOOK_MS : waitMs(failures)));
  return next.wakeAt === null ? run.journal.commit([{ write: "run.end" }]) : sleepUntil(run, next.wakeAt);
}

/** The newest deployment that went live keeps house for the whole environment. */
async function isHandedOn({ deps, grip, deployment }: Run): Promise<boolean> {
  const { items } = await deps.ledger.listDeployments(grip.scope, { environment: grip.environment, limit: 20 });
  return items.some(({ id, state, noChange }) => id > deployment.id && state === "live" && !noChange);
}

interface Plan extends Housekeeping {
  readonly revisions: ReadonlyMap<string, RevisionRecord>;
}

async function plan({ deps, grip, live }: Run): Promise<Plan> {
  // In this order: a deployment that begins in between has its new revisions in no list of ours.
  const revisions = await deps.ledger.listRevisions(grip.scope, { environment: grip.environment });
  const environment = await deps.ledger.environment(grip.scope, grip.environment);
  const keep = live?.manifest.rollback.keep ?? 0;
  const leaving = revisions.map((revision) => ({
    ...revision,
    createdAt: Date.parse(revision.createdAt),
    retireAt: revision.retireAt === null ? null : Date.parse(revision.retireAt),
    canFreeze:
      deps.plugins.supports(revision.plugin, "runtime.suspend") && !revision.spec.volumes.some(({ writers }) => writers === "single"),
  }));
  const isBusy = environment?.activeDeployment != null;
  return {
    ...housekeeping(leaving, { now: deps.clock.now(), keep, isBusy }),
    revisions: new Map(revisions.map((revision) => [revision.id, revision])),
  };
}

/** Everything side by side. Answers with the most attempts that anything took without success. */
async function keepHouse(run: Run, { freeze, drain, retire, revisions }: Plan): Promise<number> {
  const work = [
    ...freeze.map((id) => leave(run, revisions.get(id)!, "freeze")),
    ...drain.map((id) => leave(run, revisions.get(id)!, "retire")),
    ...retire.map((id) => guarded(run, revisions.get(id)!, "retire")),
  ];
  const settled = await Promise.allSettled(work);
  const failed = settled.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
  return Math.max(0, ...settled.map((result) => (result.status === "fulfilled" ? result.value : 0)));
}

async function leave(run: Run, revision: RevisionRecord, then: "freeze" | "retire"): Promise<number> {
  if (revision.state === "draining") await drain(run, revision);
  const now = await run.deps.ledger.revision(run.grip.scope, revision.id);
  // Somebody took it back into service meanwhile.
  if (!now || now.state !== revision.state) return 0;
  const failures = await guarded(run, now, then);
  return failures > 0 && then === "freeze" ? guarded(run, (await run.deps.ledger.revision(run.grip.scope, now.id))!, "retire") : failures;
}

/** Waits for requests under way; stops waiting when the revision is taken back, so that no connection to it is closed. */
async function drain(run: Run, revision: RevisionRecord): Promise<void> {
  const ref = step("drain", revision.service, revision.id);
  if (run.journal.entry(ref.id)?.state === "done") return;
  const taken = new AbortController();
  const signal = AbortSignal.any([run.signal, taken.signal]);
  const watch = watchTaken(run, revision, taken);
  try {
    const [result] = await drainRevisions(run, ref, { revisions: [revision], signal });
    await run.journal.end(ref, result ? { state: "done", outcome: { ...result } } : { state: "skipped" });
  } catch (thrown) {
    const error = toEngineError(thrown);
    if (isNotOurs(error)) throw error;
    run.stop.shutdown.throwIfAborted();
    // Requests that cannot be waited for are no reason to keep a revision for ever.
    await run.journal.end(ref, { state: "failed", error: error.toDocument() });
  } finally {
    taken.abort();
    await watch;
  }
}

async function watchTaken({ deps, grip }: Run, { id }: RevisionRecord, taken: AbortController): Promise<void> {
  while (!taken.signal.aborted) {
    await deps.clock.sleep(LOOK_MS, taken.signal).catch(() => {});
    const now = taken.signal.aborted ? null : await deps.ledger.revision(grip.scope, id).catch(() => null);
    if (now && now.state !== "draining") taken.abort();
  }
}

/** Zero when it is done, or somebody else has the revision; else how many attempts failed so far. */
async function guarded(run: Run, revision: RevisionRecord, kind: "freeze" | "retire"): Promise<number> {
  const ref = step(kind, revision.service, revision.id);
  const before = run.journal.entry(ref.id);
  try {
    const work = kind === "freeze" ? freeze : retireRevision;
    const writes = await withRetries(run, ref, () => refreshed(run, revision, (fresh) => work(run, ref, fresh)));
    await run.journal.end(ref, { state: "done", writes });
    return 0;
  } catch (thrown) {
    const error = toEngineError(thrown);
    if (isNotOurs(error)) throw error;
    run.stop.shutdown.throwIfAborted();
    if (error.code === "CONFLICT" && error.options.plugin === undefined) return 0;
    const failures = Number(before?.outcome?.["failures"] ?? 0) + 1;
    await run.journal.end(ref, { state: "failed", error: error.toDocument(), outcome: { failures } });
    return failures;
  }
}

async function refreshed<T>(run: Run, revision: RevisionRecord, work: (fresh: RevisionRecord) => Promise<T>): Promise<T> {
  const fresh = await run.deps.ledger.revision(run.grip.scope, revision.id);
  if (!fresh) throw new EngineError("BUG", `the ledger has lost revision ${revision.id}`);
  return work(fresh);
}

/**
 * Stops a revision where it stands, so that a rollback can thaw it. It is warm before it is frozen and gets its time after: a rollback
 * waits for that time, so that no freeze can come after its thaw.
 */
async function freeze(run: Run, ref: ReturnType<typeof step>, revision: RevisionRecord) {
  const { deps, live, place } = run;
  const { id, state } = revision;
  const warm = { write: "revision.update", id, state: "warm", from: [state], retireAt: null } as const;
  const suspend = askRevision(place, revision, { verb: "suspend", input: { how: "freeze", graceMs: 0 } });
  const observed = await act<ObservedRevision>(run, ref, { ...suspend, writes: state === "warm" ? [] : [warm] });
  const retireAt = new Date(deps.clock.now() + (live?.manifest.rollback.forMs ?? 0)).toISOString();
  return [{ ...seen(deps, revision, observed), from: ["warm"], retireAt } as const];
}

function waitMs(failures: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 10));
}

function sleepUntil(run: Run, at: number): Promise<void> {
  return run.journal.commit([{ write: "run.sleep", dueAt: new Date(at).toISOString() }]);
}

import type { ObservedRevision } from "@helixstack/sdk";
import { EngineError } from "../../domain/errors.ts";
import type { LedgerWrite, RevisionRecord } from "../../ports/index.ts";
import type { StepRef } from "../journal.ts";
import { type RevisionCore, askRevision, newRevision, nextRevision, seen } from "../revisions.ts";
import { type Run, act, servicePlan } from "../run.ts";
import type { StepWork } from "./step.ts";

/** A cleanup that is freezing a revision is done with it after this long, or dead. */
const LONGEST_FREEZE_MS = 5_000;

/** Starts the new revision, or takes a former one back into service. It is recorded before it is in the world. */
export const applyStep: StepWork = async (run, step) => {
  const { service, reuse } = servicePlan(run, step.service);
  const revision = (await nextRevision(run, service)) ?? (reuse === null ? null : await takeBack(run, step, reuse));
  const { core, writes } = revision ? { core: revision as RevisionCore, writes: [] } : await create(run, service);
  const observed = await act<ObservedRevision>(run, step, {
    ...askRevision(run.place, core, { verb: "apply", input: { spec: core.spec } }),
    writes,
  });
  return { outcome: { revision: core.id }, writes: [seen(run.deps, core, observed)] };
};

async function create(run: Run, service: string): Promise<{ core: RevisionCore; writes: readonly LedgerWrite[] }> {
  const { revision, write } = await newRevision(run, service);
  return { core: revision, writes: [write] };
}

/**
 * Takes a former revision away from the cleanup, which may be draining, freezing or removing it just now. Whoever changes its state first has
 * it; null when that was the cleanup, and a new revision is to be made.
 */
async function takeBack(run: Run, step: StepRef, id: string): Promise<RevisionRecord | null> {
  const { clock, ledger } = run.deps;
  const until = clock.monotonic() + LONGEST_FREEZE_MS;
  for (;;) {
    const revision = await ledger.revision(run.grip.scope, id);
    if (!revision || (revision.state !== "warm" && revision.state !== "draining")) return null;
    // Warm without a time: the freeze is under way, and would come after our thaw.
    const isFreezing = revision.state === "warm" && revision.retireAt === null;
    if (!isFreezing) return take(run, step, revision);
    if (clock.monotonic() > until) return null;
    await clock.sleep(20, run.signal);
  }
}

async function take(run: Run, step: StepRef, revision: RevisionRecord): Promise<RevisionRecord | null> {
  const { id, state } = revision;
  try {
    await run.journal.intend(step, { writes: [{ write: "revision.update", id, state: "starting", from: [state], retireAt: null }] });
    return revision;
  } catch (thrown) {
    if (thrown instanceof EngineError && thrown.code === "CONFLICT") return null;
    throw thrown;
  }
}

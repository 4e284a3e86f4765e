import type { ObservedRevision } from "@helixstack/sdk";
import { toEngineError } from "../domain/errors.ts";
import type { PlannedStep, StepKind } from "../domain/plan.ts";
import type { LedgerWrite } from "../ports/index.ts";
import { carryLive } from "./clearance.ts";
import { awaitHealth } from "./health.ts";
import type { StepRef } from "./journal.ts";
import { retireRevision } from "./retire-revision.ts";
import { askRevision, nextRevision, seen } from "./revisions.ts";
import { type Run, act, servicePlan } from "./run.ts";
import { restoreTable } from "./tables.ts";

/** Takes one step back. `undo` is how that is journalled. Converges, like the step itself. */
export type Undo = (run: Run, input: { readonly step: PlannedStep; readonly undo: StepRef }) => Promise<readonly LedgerWrite[]>;

/** For every kind of which `STEP_RULES` says that it has an undo. */
export const UNDOS: Readonly<Partial<Record<StepKind, Undo>>> = {
  reserve: putTableBack,
  hold: putTableBack,
  route: putTableBack,
  halt: startAgain,
  task: dropRevision,
  apply: dropRevision,
};

function putTableBack(run: Run, { step, undo }: { step: PlannedStep; undo: StepRef }): Promise<readonly LedgerWrite[]> {
  return restoreTable(run, undo, step.subject!);
}

/** Starts the revision that was stopped for its successor. Requests are let through to it as soon as it answers, or its time is over. */
async function startAgain(run: Run, { step, undo }: { step: PlannedStep; undo: StepRef }): Promise<readonly LedgerWrite[]> {
  const { deps, grip, place, live } = run;
  const { live: id, service } = servicePlan(run, step.service);
  const old = id === null ? null : await deps.ledger.revision(grip.scope, id);
  if (!old) return [];
  await carryLive(run);
  const observed = await act<ObservedRevision>(run, undo, askRevision(place, old, { verb: "apply", input: { spec: old.spec } }));
  await run.journal.commit([seen(deps, old, observed)]);
  const started = { ...old, endpoints: observed.endpoints };
  const health = live?.manifest.services[service]?.health;
  if (!health) return [];
  try {
    const { endpoints } = await awaitHealth(run, { revision: started, health, signal: run.signal });
    return [{ write: "revision.update", id: old.id, endpoints }];
  } catch (thrown) {
    if (run.signal.aborted) throw thrown;
    const { message } = toEngineError(thrown);
    deps.logger.error("the old revision was started again and is not healthy", { revision: old.id, error: message });
    return [{ write: "event", type: "revision.unhealthy", data: { revision: old.id, service, message } }];
  }
}

/** What the attempt made is removed. What it took back into service leaves as it would have without it: through the cleanup. */
async function dropRevision(run: Run, { step, undo }: { step: PlannedStep; undo: StepRef }): Promise<readonly LedgerWrite[]> {
  const revision = await nextRevision(run, servicePlan(run, step.service).service);
  if (!revision || revision.state === "gone" || revision.state === "forgotten") return [];
  if (revision.deployment === run.deployment.id) return retireRevision(run, undo, revision);
  return [{ write: "revision.update", id: revision.id, state: "draining", from: ["starting"] }];
}

import { EngineError, type ErrorDocument, toEngineError } from "../domain/errors.ts";
import type { PlannedStep } from "../domain/plan.ts";
import { FIRST_STEPS } from "../domain/plan-steps.ts";
import { type Decision, STEP_RULES, type StopCause, decide, isCommitted, undoId } from "../domain/step-machine.ts";
import type { LedgerWrite } from "../ports/index.ts";
import { isNotOurs, withRetries } from "./attempt.ts";
import type { Run } from "./run.ts";
import { STEPS } from "./steps/index.ts";
import { timeNow } from "./time-now.ts";
import { UNDOS } from "./undo.ts";

/**
 * Brings a deployment to its verdict: the step machine decides, this carries out. Throws what is not the deployment's fault (a lost run, a
 * ledger that is down, a shutdown); everything else becomes the verdict.
 */
export async function runMain(run: Run): Promise<void> {
  let isCompensating = run.deployment.state === "compensating";
  let error = run.deployment.error;
  for (;;) {
    run.stop.shutdown.throwIfAborted();
    const decision = decide({
      steps: run.plan?.steps ?? FIRST_STEPS.slice(0, 1),
      journal: run.journal.states(),
      isCompensating,
      stop: run.stop.cause(),
    });
    if (decision.do === "end") return endFailed(run, error);
    if (decision.do === "undo") await undoStep(run, decision.step);
    else {
      const failure = decision.do === "step" ? await runStep(run, decision.step) : await refuse(run, decision);
      if (failure === "live") return;
      if (failure) [isCompensating, error] = [true, failure];
    }
  }
}

/** Null when it is done, `live` when that was the verdict, and why the deployment fails otherwise. */
async function runStep(run: Run, step: PlannedStep): Promise<ErrorDocument | "live" | null> {
  const isPastStopping = STEP_RULES[step.kind].isSwitch || isCommitted({ steps: run.plan?.steps ?? [], journal: run.journal.states() });
  run.signal = isPastStopping ? run.stop.shutdown : run.stop.signal;
  const began = timeNow(run.deps);
  try {
    const work = STEPS[step.kind as keyof typeof STEPS];
    const { state = "done", ...ending } = await withRetries(run, step, () => work(run, step));
    await run.journal.end(step, { state, ...ending, times: { began, ended: timeNow(run.deps) } });
    return step.kind === "release" ? "live" : null;
  } catch (thrown) {
    const error = toEngineError(thrown).at({ step: step.id });
    if (isNotOurs(error)) throw error;
    run.stop.shutdown.throwIfAborted();
    const cause = run.signal.aborted ? run.stop.cause() : null;
    return fail(run, { step, began, error: cause ? stopError(run, { cause, step, while: error }) : error });
  }
}

/** The step did not even begin, or nobody knows how it ended. */
async function refuse(run: Run, { step, cause }: Extract<Decision, { do: "compensate" }>): Promise<ErrorDocument> {
  if (cause === "unknown-end") {
    const { service, task } = step!;
    const message = `the worker died while task ${task} of ${service} ran: nobody knows how it ended, so it is not run again`;
    return fail(run, { step, error: new EngineError("TASK_UNKNOWN_END", message, { step: step!.id }) });
  }
  if (cause === "failed") return fail(run, { step: null, error: new EngineError("BUG", `step ${step!.id} failed without a verdict`) });
  return fail(run, { step: null, error: stopError(run, { cause, step }) });
}

interface Failure {
  readonly step: PlannedStep | null;
  /** When the step began; absent where it did not even begin. */
  readonly began?: string;
  readonly error: EngineError;
}

/** Writes down why, and that from here on everything is taken back: in one transaction. */
async function fail(run: Run, { step, began, error }: Failure): Promise<ErrorDocument> {
  const document = error.toDocument();
  const verdict = error.code === "CANCELLED" ? "cancelled" : "failed";
  const compensate: LedgerWrite = { write: "deployment.compensate", verdict, error: document };
  if (step)
    await run.journal.end(step, {
      state: "failed",
      error: document,
      writes: [compensate],
      times: began ? { began, ended: timeNow(run.deps) } : undefined,
    });
  else await run.journal.commit([compensate]);
  return document;
}

interface StopPlace {
  readonly cause: StopCause;
  readonly step: PlannedStep | null;
  readonly while?: EngineError;
}

function stopError({ deployment, environment }: Run, { cause, step, while: during }: StopPlace): EngineError {
  const where = step ? ` at ${step.id}` : "";
  const options = { step: step?.id, logs: during?.options.logs };
  if (cause === "cancel") return new EngineError("CANCELLED", `the deployment was cancelled${where}`, options);
  const seconds = (Date.parse(deployment.deadlineAt) - Date.parse(deployment.createdAt)) / 1000;
  return new EngineError("DEADLINE_PASSED", `the deployment of ${environment.name} took longer than its ${seconds} s${where}`, options);
}

/** Neither cancel nor deadline stop the taking back. What cannot be taken back now is left to the cleanup, which goes on trying. */
async function undoStep(run: Run, step: PlannedStep): Promise<void> {
  run.signal = run.stop.shutdown;
  const undo = { ...step, id: undoId(step.id) };
  try {
    const writes = await withRetries(run, undo, () => UNDOS[step.kind]!(run, { step, undo }));
    const isFailed = run.journal.entry(step.id)?.state === "failed";
    const undone: readonly LedgerWrite[] = isFailed ? [] : [{ write: "step.end", step: step.id, state: "undone" }];
    await run.journal.end(undo, { state: "done", writes: [...writes, ...undone] });
  } catch (thrown) {
    const error = toEngineError(thrown).at({ step: undo.id });
    if (isNotOurs(error)) throw error;
    run.stop.shutdown.throwIfAborted();
    run.deps.logger.error("a step could not be taken back", { deployment: run.deployment.id, step: step.id, code: error.code });
    await run.journal.end(undo, { state: "failed", error: error.toDocument() });
  }
}

async function endFailed(run: Run, error: ErrorDocument | null): Promise<void> {
  const { deps, grip, environment, deployment } = run;
  const known = error ?? new EngineError("BUG", `deployment ${deployment.id} ended without a verdict`).toDocument();
  const leaving = await deps.ledger.listRevisions(grip.scope, {
    environment: environment.id,
    states: ["starting", "draining", "retiring"],
  });
  const cleanupAt = leaving.length > 0 ? timeNow(deps) : null;
  const state = known.code === "CANCELLED" ? "cancelled" : "failed";
  await run.journal.commit([{ write: "deployment.end", state, error: known, cleanupAt }]);
  const isBroken = Object.entries(run.journal.states()).some(([id, ended]) => id.startsWith("undo:") && ended === "failed");
  if (isBroken) await deps.ledger.requestRepair(grip.scope, environment.id);
}

import type { StopCause } from "../domain/step-machine.ts";
import type { DeploymentRecord, Grip } from "../ports/index.ts";
import type { EngineDeps } from "./deps.ts";

/** Says when a run has to stop, and why. */
export interface Stop {
  /** Fires on cancel, deadline and shutdown. */
  readonly signal: AbortSignal;
  /** Fires when the worker is to end. */
  readonly shutdown: AbortSignal;
  /** What somebody wants of the deployment; null when nobody wants it to stop. */
  cause(): StopCause | null;
  close(): void;
}

/** A watch can miss a notice; a cancel is seen no later than this. */
const LOOK_MS = 1_000;
/** The run's own commits are notices too: looks are no denser than this. */
const DENSEST_MS = 100;
/** `setTimeout` takes no more than 2^31 milliseconds. */
const LONGEST_TIMER_MS = 2_000_000_000;

interface Watched {
  readonly grip: Grip;
  readonly deployment: DeploymentRecord;
  readonly shutdown: AbortSignal;
}

type StopDeps = Pick<EngineDeps, "ledger" | "clock" | "logger">;

/** Watches for a cancel and for the deadline, also while a long call runs. */
export function watchStop(deps: StopDeps, { grip, deployment, shutdown }: Watched): Stop {
  const wanted = new AbortController();
  const ended = new AbortController();
  let cause: StopCause | null = null;
  const want = (found: StopCause) => {
    if (ended.signal.aborted) return;
    cause = found;
    wanted.abort(found);
    ended.abort();
  };
  if (deployment.cancelRequestedBy) want("cancel");
  else {
    void watchCancel(deps, { grip, deployment, signal: ended.signal, onCancel: () => want("cancel") });
    const leftMs = Math.max(0, Date.parse(deployment.deadlineAt) - deps.clock.now());
    deps.clock.sleep(Math.min(leftMs, LONGEST_TIMER_MS), ended.signal).then(
      () => want("deadline"),
      () => {},
    );
  }
  return { signal: AbortSignal.any([wanted.signal, shutdown]), shutdown, cause: () => cause, close: () => ended.abort() };
}

interface CancelWatch extends Omit<Watched, "shutdown"> {
  readonly signal: AbortSignal;
  readonly onCancel: () => void;
}

async function watchCancel({ ledger, clock, logger }: StopDeps, { grip, deployment, signal, onCancel }: CancelWatch): Promise<void> {
  let noticed = new AbortController();
  const stream = `deployment:${deployment.id}`;
  await ledger.watch(grip.scope, { stream, signal }, () => noticed.abort()).catch(() => {});
  while (!signal.aborted) {
    noticed = new AbortController();
    try {
      const now = await ledger.deployment(grip.scope, deployment.id);
      if (now?.cancelRequestedBy) return onCancel();
    } catch (error) {
      logger.debug("a cancel cannot be looked for just now", { deployment: deployment.id, error: String(error) });
    }
    await clock.sleep(DENSEST_MS, signal).catch(() => {});
    await clock.sleep(LOOK_MS, AbortSignal.any([signal, noticed.signal])).catch(() => {});
  }
}

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
/** `setTimeout` takes no more than 2^31 milliseconds. */
const LONGEST_TIMER_MS = 2_000_000_000;

/** Watches for a cancel and for the deadline, also while a long call runs. */
export function watchStop(
  { ledger, clock, logger }: Pick<EngineDeps, "ledger" | "clock" | "logger">,
  { grip, deployment, shutdown }: { grip: Grip; deployment: DeploymentRecord; shutdown: AbortSignal },
): Stop {
  const wanted = new AbortController();
  const ended = new AbortController();
  let cause: StopCause | null = null;
  const want = (found: StopCause) => {
    cause ??= found;
    wanted.abort(found);
    ended.abort();
  };
  let isLooking = false;
  const look = async () => {
    if (isLooking || ended.signal.aborted) return;
    isLooking = true;
    try {
      const now = await ledger.deployment(grip.scope, deployment.id);
      if (now?.cancelRequestedBy && !ended.signal.aborted) want("cancel");
    } catch (error) {
      logger.debug("a cancel cannot be looked for just now", { deployment: deployment.id, error: String(error) });
    } finally {
      isLooking = false;
    }
  };
  if (deployment.cancelRequestedBy) want("cancel");
  else {
    const stream = `deployment:${deployment.id}`;
    ledger.watch(grip.scope, { stream, signal: ended.signal }, () => void look()).catch(() => {});
    void every(LOOK_MS, ended.signal, clock, look);
    const leftMs = Math.max(0, Date.parse(deployment.deadlineAt) - clock.now());
    clock.sleep(Math.min(leftMs, LONGEST_TIMER_MS), ended.signal).then(
      () => want("deadline"),
      () => {},
    );
  }
  return { signal: AbortSignal.any([wanted.signal, shutdown]), shutdown, cause: () => cause, close: () => ended.abort() };
}

async function every(ms: number, signal: AbortSignal, clock: EngineDeps["clock"], look: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await look();
    await clock.sleep(ms, signal).catch(() => {});
  }
}

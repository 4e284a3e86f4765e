import type { Ledger, Queue } from "../ports/index.ts";
import type { EngineDeps } from "./deps.ts";

const BATCH = 100;
/** A run that is due and not taken for so long has lost its wake-up. */
const OVERDUE_MS = 2_000;
const LOOK_MS = 1_000;

/** What the relay needs. */
export interface RelayDeps extends Pick<EngineDeps, "clock" | "logger"> {
  readonly ledger: Pick<Ledger, "relayOutbox" | "overdueRuns" | "watchOutbox">;
  readonly queue: Pick<Queue, "wake">;
}

/** Brings wake-ups from the outbox to the queue as they come, and sends lost ones again. Resolves when the signal fires; never rejects. */
export async function relay({ ledger, queue, clock, logger }: RelayDeps, signal: AbortSignal): Promise<void> {
  let pause = new AbortController();
  ledger
    .watchOutbox(signal, () => pause.abort())
    .catch((error: unknown) => logger.debug("the outbox is only polled", { error: String(error) }));
  let isDown = false;
  while (!signal.aborted) {
    // Before the look: what comes while it lasts makes the pause end at once.
    pause = new AbortController();
    try {
      while ((await ledger.relayOutbox(BATCH, (job) => queue.wake(job))) === BATCH && !signal.aborted);
      for (const job of await ledger.overdueRuns(OVERDUE_MS)) await queue.wake(job);
      isDown = false;
    } catch (error) {
      if (!isDown) logger.warn("wake-ups wait: the ledger or the queue does not answer", { error: String(error) });
      isDown = true;
    }
    await clock.sleep(isDown ? LOOK_MS / 4 : LOOK_MS, AbortSignal.any([signal, pause.signal])).catch(() => {});
  }
}

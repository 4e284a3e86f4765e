import type { Listener } from "./listener.ts";

interface Source {
  readonly listener: Listener;
  /** Milliseconds until the next row is due; null when none is put for later. */
  readonly nextWakeUp: () => Promise<number | null>;
}

/** A timer that sleeps for longer asks again: clocks differ, and Node's timers end at 24 days. */
const LONGEST_TIMER_MS = 60_000;

/** Calls back when a row was put, and again when one that was put for later becomes due. */
export async function watchOutbox(source: Source, watcher: { readonly signal: AbortSignal; readonly onRow: () => void }): Promise<void> {
  const { signal, onRow } = watcher;
  let timer: NodeJS.Timeout | undefined;
  const armTimer = async () => {
    // While the database is down there is nothing to time; the listener calls again when it is back.
    const ms = await source.nextWakeUp().catch(() => null);
    clearTimeout(timer);
    if (ms === null || signal.aborted) return;
    timer = setTimeout(onEvent, Math.min(Math.max(Math.ceil(ms), 1), LONGEST_TIMER_MS));
    timer.unref();
  };
  const onEvent = () => {
    if (signal.aborted) return;
    onRow();
    void armTimer();
  };
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  await source.listener.watchOutbox({ signal, onEvent });
  onEvent();
}

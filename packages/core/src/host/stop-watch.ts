import type { EngineError } from "../domain/errors.ts";
import { type CallPlace, callError, seconds } from "./call-errors.ts";

/** Knows when a call is to be stopped: its signal fired, or its deadline passed. */
export interface StopWatch {
  /** Null while the call may go on. */
  readonly why: "cancel" | "deadline" | null;
  /** Calls back once, at once when it is time already. */
  onStop(callback: () => void): void;
  /** Settles as `work` does, or rejects as soon as the call is to be stopped; `work` then goes on unwatched. */
  race<T>(work: Promise<T>): Promise<T>;
  /** The error of a call that was stopped and settled. */
  stopped(): EngineError;
  /** The error of a call that did not settle within `graceMs` of being told to stop. */
  ignored(graceMs: number): EngineError;
  /** Stops watching. */
  end(): void;
}

export interface StopWatchOptions {
  readonly place: CallPlace;
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
}

/** The longest time that a timer takes; more means no deadline. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export function stopWatch({ place, deadlineMs, signal }: StopWatchOptions): StopWatch {
  let why: StopWatch["why"] = null;
  const callbacks: (() => void)[] = [];
  const stop = (reason: "cancel" | "deadline") => {
    if (why !== null) return;
    why = reason;
    for (const callback of callbacks) callback();
  };
  const onStop = (callback: () => void) => {
    if (why === null) callbacks.push(callback);
    else callback();
  };
  const timer = deadlineMs <= MAX_TIMER_MS ? setTimeout(stop, deadlineMs, "deadline") : undefined;
  const onAbort = () => stop("cancel");
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });

  const late = `did not answer within its deadline of ${seconds(deadlineMs)}`;
  const stopped = () => (why === "deadline" ? callError("PLUGIN_HUNG", place, late) : callError("ABORTED", place, "was cancelled"));
  return {
    get why() {
      return why;
    },
    onStop,
    race: (work) => Promise.race([work, new Promise<never>((_, reject) => onStop(() => reject(stopped())))]),
    stopped,
    ignored(graceMs) {
      const what = why === "deadline" ? `${late}, nor` : "did not";
      return callError("PLUGIN_HUNG", place, `${what} stop within ${seconds(graceMs)} of being told to; its process was killed`);
    },
    end() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    },
  };
}

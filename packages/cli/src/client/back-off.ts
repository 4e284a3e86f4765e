import { setTimeout as sleep } from "node:timers/promises";

const FIRST_MS = 50;
const LONGEST_MS = 2000;

/** Pauses that grow, within a span that can be renewed. */
export interface BackOff {
  /** Waits. Resolves to false, without waiting, once the span is over. Rejects when the signal fires. */
  readonly pause: () => Promise<boolean>;
  /** The span begins anew: the other side answers, if only to say little. */
  readonly renew: () => void;
  /** The next pause is a short one again. */
  readonly reset: () => void;
}

export function backOff({ forMs, signal }: { readonly forMs: number; readonly signal?: AbortSignal | undefined }): BackOff {
  let end = performance.now() + forMs;
  let next = FIRST_MS;
  return {
    pause: async () => {
      const left = end - performance.now();
      if (left <= 0) return false;
      await sleep(Math.min(next, left), undefined, signal ? { signal } : {});
      next = Math.min(next * 2, LONGEST_MS);
      return true;
    },
    renew: () => void (end = performance.now() + forMs),
    reset: () => void (next = FIRST_MS),
  };
}

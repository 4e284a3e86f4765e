import { setTimeout as sleep } from "node:timers/promises";

const FIRST_MS = 50;
const LONGEST_MS = 2000;

/**
 * A pause that grows with each call. Resolves to false, without waiting, when `forMs` have passed since it was made. Rejects when the signal fires.
 */
export function backOff({ forMs, signal }: { readonly forMs: number; readonly signal?: AbortSignal }): () => Promise<boolean> {
  const end = performance.now() + forMs;
  let next = FIRST_MS;
  return async () => {
    const left = end - performance.now();
    if (left <= 0) return false;
    await sleep(Math.min(next, left), undefined, signal ? { signal } : {});
    next = Math.min(next * 2, LONGEST_MS);
    return true;
  };
}

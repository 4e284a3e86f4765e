/** Time, so that the engine can be tested without waiting. */
export interface Clock {
  /** Milliseconds since 1970, as the machine believes. For records, never for measuring. */
  now(): number;
  /** Milliseconds on a clock that never jumps. For leases and deadlines within a process. */
  monotonic(): number;
  /** Resolves after `ms`, or rejects with the signal's reason when it fires first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

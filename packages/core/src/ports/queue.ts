/** Wakes workers. At-least-once and lossy: the ledger decides what is to be done. Carries ids only. */
export interface Queue {
  /** Asks for a worker to look at this run. */
  wake(job: WakeJob): Promise<void>;
  /** Calls `handler` for each wake-up, `concurrency` at a time, until `close`. A handler never throws. */
  consume(handler: (job: WakeJob) => Promise<void>, options: { readonly concurrency: number }): Promise<void>;
  /** Stops taking jobs, waits for handlers, disconnects. */
  close(): Promise<void>;
  /** How many wake-ups wait. For metrics and doctor. */
  depth(): Promise<number>;
  readonly backend: "postgres" | "redis";
}

export interface WakeJob {
  readonly organization: string;
  readonly run: string;
}

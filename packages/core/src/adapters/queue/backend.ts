import type { WakeJob } from "../../ports/queue.ts";

/** What the two backends differ in; everything else is one code. */
export interface QueueBackend {
  readonly name: "postgres" | "redis";
  /** Rejects when the backend does not answer. */
  openQueue(): Promise<OpenQueue>;
  openWorker(handler: (job: WakeJob) => Promise<void>, options: { readonly concurrency: number }): OpenWorker;
  /** Closes the connections that queue and worker shared. They are closed already. */
  close(): Promise<void>;
}

/** As much of BullMQ's queue as is used. */
export interface OpenQueue {
  add(name: string, job: WakeJob): Promise<unknown>;
  getWaitingCount(): Promise<number>;
  close(): Promise<void>;
}

/** As much of BullMQ's worker as is used. */
export interface OpenWorker {
  on(event: "error", listener: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
}

export interface BackendOptions {
  readonly url: string;
  readonly name: string;
  readonly onError: (error: Error) => void;
}

/** Ids only, and nothing is kept: the ledger knows what was done. */
export const JOB_OPTIONS = { removeOnComplete: true, removeOnFail: true, attempts: 1 } as const;

/**
 * A worker that lost its backend asks again after `runRetryDelay`; the default would be 15 s. A job whose worker died is given to another
 * one, which finds in the ledger whether there is something to do.
 */
export const WORKER_OPTIONS = {
  runRetryDelay: 500,
  drainDelay: 5,
  maxStalledCount: 1_000_000,
  removeOnComplete: { count: 0 },
  removeOnFail: { count: 0 },
} as const;

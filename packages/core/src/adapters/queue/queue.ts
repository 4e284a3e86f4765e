import { setTimeout as sleep } from "node:timers/promises";
import { EngineError } from "../../domain/errors.ts";
import type { Queue, WakeJob } from "../../ports/queue.ts";
import type { OpenQueue, OpenWorker, QueueBackend } from "./backend.ts";
import { postgresBackend } from "./postgres-backend.ts";
import { redisBackend } from "./redis-backend.ts";

/** Where the queue is, and whom to tell of lost connections. */
export interface QueueSettings {
  /** `postgres://` or `redis://` (`rediss://`): it chooses the backend. */
  readonly url: string;
  /** Installations that share one server have queues of different names. Default `helix`. */
  readonly name?: string;
  /** Told of errors of connections, which mend themselves. */
  readonly onError?: (error: Error) => void;
}

/** After this, a close no longer waits for a backend that does not answer. Handlers are waited for before it. */
const CLOSE_MS = 2_000;
const REOPEN_MS = 500;

/**
 * The queue on BullMQ. Connects with the first wake-up or `consume`. When the backend restarts, or loses all it had, it goes on by itself.
 * `wake` and `depth` reject with `UNAVAILABLE` while the backend does not answer.
 */
export function createQueue(settings: QueueSettings): Queue {
  const { url, name = "helix" } = settings;
  const onError = settings.onError ?? (() => {});
  const backend = chooseBackend(url)({ url, name, onError });
  const closing = new AbortController();
  let opening: Promise<OpenQueue> | null = null;
  let worker: OpenWorker | null = null;

  const open = () => {
    // A failed try is forgotten: the next one may find the backend up.
    opening ??= backend.openQueue().catch((thrown: unknown) => {
      opening = null;
      throw thrown;
    });
    return opening;
  };
  const ask = async <T>(work: (queue: OpenQueue) => Promise<T>): Promise<T> => {
    try {
      return await work(await open());
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new EngineError("UNAVAILABLE", `the queue's ${backend.name} backend does not answer: ${reason}`, { cause });
    }
  };
  return {
    backend: backend.name,

    wake: ({ organization, run }) => ask(async (queue) => void (await queue.add("wake", { organization, run }))),
    depth: () => ask((queue) => queue.getWaitingCount()),

    async consume(handler, options) {
      const never = safe(handler, onError);
      worker = await openWorker(backend, { open, handler: never, options, signal: closing.signal, onError });
    },

    async close() {
      closing.abort();
      await worker?.close().catch(onError);
      const queue = await opening?.catch(() => null);
      const closed = (async () => {
        await queue?.close();
        await backend.close();
      })();
      await Promise.race([closed.catch(onError), sleep(CLOSE_MS, undefined, { ref: false })]);
    },
  };
}

interface Opening {
  readonly open: () => Promise<unknown>;
  readonly handler: (job: WakeJob) => Promise<void>;
  readonly options: { readonly concurrency: number };
  readonly signal: AbortSignal;
  readonly onError: (error: Error) => void;
}

/** Waits for the backend: BullMQ's worker does not recover from one that is away when it starts. Null when closed meanwhile. */
async function openWorker(backend: QueueBackend, opening: Opening): Promise<OpenWorker | null> {
  while (!opening.signal.aborted) {
    try {
      await opening.open();
      const worker = backend.openWorker(opening.handler, opening.options);
      worker.on("error", opening.onError);
      await worker.waitUntilReady();
      return worker;
    } catch (thrown) {
      if (thrown instanceof Error) opening.onError(thrown);
      await sleep(REOPEN_MS, undefined, { signal: opening.signal }).catch(() => {});
    }
  }
  return null;
}

/** A handler that throws against its promise must not stop the worker. */
function safe(handler: (job: WakeJob) => Promise<void>, onError: (error: Error) => void): (job: WakeJob) => Promise<void> {
  return async (job) => {
    try {
      await handler(job);
    } catch (thrown) {
      onError(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  };
}

function chooseBackend(url: string): typeof postgresBackend {
  if (/^postgres(ql)?:\/\//.test(url)) return postgresBackend;
  if (/^rediss?:\/\//.test(url)) return redisBackend;
  throw new EngineError("USAGE", "the queue's URL must begin with redis://, rediss:// or postgres://", {
    hint: "Correct REDIS_URL or DATABASE_URL.",
  });
}

import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import type { WakeJob } from "../../ports/queue.ts";
import { JOB_OPTIONS, WORKER_OPTIONS, type BackendOptions, type QueueBackend } from "./backend.ts";

const LONGEST_PAUSE_MS = 1_000;
const retryStrategy = (times: number) => Math.min(times * 50, LONGEST_PAUSE_MS);

/** BullMQ on Redis. */
export function redisBackend({ url, name, onError }: BackendOptions): QueueBackend {
  // Adding fails at once while Redis is away: the outbox keeps the wake-up. Waiting for jobs, on the other hand, goes on for ever.
  const producer = new Redis(url, { lazyConnect: true, enableOfflineQueue: false, maxRetriesPerRequest: 1, retryStrategy });
  const consumer = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: null, retryStrategy });
  for (const client of [producer, consumer]) client.on("error", onError);
  return {
    name: "redis",

    async openQueue() {
      if (producer.status === "wait") await producer.connect();
      await producer.ping();
      const queue = new Queue<WakeJob>(name, { connection: producer, defaultJobOptions: JOB_OPTIONS });
      queue.on("error", onError);
      await queue.waitUntilReady();
      return queue;
    },

    openWorker(handler, { concurrency }) {
      const options = { ...WORKER_OPTIONS, connection: consumer, concurrency };
      return new Worker<WakeJob>(name, (job) => handler(job.data), options);
    },

    close() {
      producer.disconnect();
      consumer.disconnect();
      return Promise.resolve();
    },
  };
}

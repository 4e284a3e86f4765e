import { createPostgresBackend, runMigrations, withBackend, type PgPool, type PgQueryable } from "bullmq";
import pg from "pg";
import type { WakeJob } from "../../ports/queue.ts";
import { JOB_OPTIONS, WORKER_OPTIONS, type BackendOptions, type QueueBackend } from "./backend.ts";

/** BullMQ's name for its schema, where it is given a pool. */
const SCHEMA = "bullmq";
/** One of them listens; the others are for adding and finishing jobs. */
const POOL_SIZE = 4;

/** BullMQ on PostgreSQL, in a schema of its own. The pool is ours, so that a connection's end is never an uncaught error. */
export function postgresBackend({ url, name, onError }: BackendOptions): QueueBackend {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: "helix-queue",
    max: POOL_SIZE,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    options: `-c search_path=${SCHEMA}`,
  });
  pool.on("error", onError);
  pool.on("connect", (client) => client.on("error", onError));
  const { Queue, Worker } = withBackend(createPostgresBackend);
  const connection = pool as unknown as PgPool;
  return {
    name: "postgres",

    async openQueue() {
      await migrate(pool);
      const queue = new Queue<WakeJob>(name, { connection, defaultJobOptions: JOB_OPTIONS });
      queue.on("error", onError);
      try {
        await queue.waitUntilReady();
        return queue;
      } catch (thrown) {
        await queue.close().catch(() => {});
        throw thrown;
      }
    },

    openWorker(handler, { concurrency }) {
      return new Worker<WakeJob>(name, (job) => handler(job.data), { ...WORKER_OPTIONS, connection, concurrency });
    },

    close: () => pool.end(),
  };
}

/** Guarded by an advisory lock of BullMQ's, so many processes may do it at once. */
async function migrate(pool: pg.Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await runMigrations(client as unknown as PgQueryable, SCHEMA);
  } finally {
    client.release();
  }
}

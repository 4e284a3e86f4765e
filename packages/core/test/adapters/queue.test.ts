import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createQueue } from "../../src/adapters/queue/queue.ts";
import type { Queue, WakeJob } from "../../src/ports/queue.ts";
import { eventually } from "../support/eventually.ts";
import { startPostgres } from "../support/postgres.ts";
import { hasRedis, startRedis } from "../support/redis.ts";

interface Server {
  readonly url: string;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Removes all that is queued, as if it had never been. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

async function postgresServer(): Promise<Server> {
  const server = await startPostgres();
  const url = await server.database();
  const flush = async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query<{ name: string }>(
      "select table_name as name from information_schema.tables where table_schema = 'bullmq' and table_name like '%job%'",
    );
    if (rows.length === 0) throw new Error("nothing to flush");
    for (const { name } of rows) await client.query(`truncate bullmq."${name}" cascade`);
    await client.end();
  };
  return { ...server, url, flush };
}

const job = (run: string): WakeJob => ({ organization: "org_a", run });

describe.each([
  ["postgres", true, postgresServer],
  ["redis", hasRedis(), startRedis],
] as const)("a queue on %s", (backend, isHere, startServer) => {
  // Redis tests need `redis-server` on PATH.
  describe.skipIf(!isHere)(isHere ? "is the port" : `is skipped: ${backend} is not on PATH`, () => {
    let server: Server;
    let open: Queue[] = [];
    const errors: Error[] = [];

    const newQueue = (name: string): Queue => {
      const queue = createQueue({ url: server.url, name, onError: (error) => errors.push(error) });
      open.push(queue);
      return queue;
    };
    const collect = async (queue: Queue): Promise<string[]> => {
      const seen: string[] = [];
      await queue.consume((wake) => Promise.resolve(void seen.push(wake.run)), { concurrency: 4 });
      return seen;
    };

    beforeAll(async () => {
      server = await startServer();
    });
    afterEach(async () => {
      await Promise.all(open.map((queue) => queue.close()));
      open = [];
    });
    afterAll(() => server.stop());

    it("hands each wake-up to one consumer, and keeps nothing", async () => {
      const [producer, consumer] = [newQueue("basic"), newQueue("basic")];
      expect(producer.backend).toBe(backend);
      await producer.wake(job("run_1"));
      await producer.wake(job("run_2"));
      expect(await producer.depth()).toBe(2);
      const seen = await collect(consumer);
      await eventually(() => expect(seen.toSorted()).toEqual(["run_1", "run_2"]));
      await eventually(async () => expect(await producer.depth()).toBe(0));
    });

    it("works on no more jobs at once than asked for, and waits for them at the end", async () => {
      const queue = newQueue("bounded");
      let atOnce = 0;
      let most = 0;
      let done = 0;
      const handler = async () => {
        most = Math.max(most, ++atOnce);
        await sleep(30);
        atOnce--;
        done++;
      };
      for (let i = 0; i < 8; i++) await queue.wake(job(`run_${i}`));
      await queue.consume(handler, { concurrency: 3 });
      await eventually(() => expect(done).toBeGreaterThan(2));
      await queue.close();
      expect(most).toBe(3);
      expect(atOnce).toBe(0);
    });

    it("goes on after a handler that throws", async () => {
      const queue = newQueue("throwing");
      const seen: string[] = [];
      const handler = (wake: WakeJob) => {
        seen.push(wake.run);
        return Promise.reject(new Error("against its promise"));
      };
      await queue.consume(handler, { concurrency: 1 });
      await queue.wake(job("run_1"));
      await queue.wake(job("run_2"));
      await eventually(() => expect(seen).toEqual(["run_1", "run_2"]));
      expect(errors.map((error) => error.message)).toContain("against its promise");
    });

    it("goes on after everything in it was lost", async () => {
      const queue = newQueue("flushed");
      const seen = await collect(queue);
      await queue.wake(job("run_1"));
      await eventually(() => expect(seen).toEqual(["run_1"]));
      await server.flush();
      await queue.wake(job("run_2"));
      await eventually(() => expect(seen).toEqual(["run_1", "run_2"]));
    });

    it("goes on after its server was killed and started again", async () => {
      const queue = newQueue("killed");
      const seen = await collect(queue);
      await queue.wake(job("run_1"));
      await eventually(() => expect(seen).toContain("run_1"));
      await server.kill();
      await expect(queue.wake(job("run_lost"))).rejects.toMatchObject({ code: "UNAVAILABLE", retryable: true });
      await server.start();
      await eventually(() => queue.wake(job("run_2")));
      await eventually(() => expect(seen).toContain("run_2"));
    });

    it("waits for a server that is down when it begins", async () => {
      await server.kill();
      const queue = newQueue("late");
      const seen: string[] = [];
      const consuming = queue.consume((wake) => Promise.resolve(void seen.push(wake.run)), { concurrency: 1 });
      await expect(queue.wake(job("run_1"))).rejects.toMatchObject({ code: "UNAVAILABLE" });
      await server.start();
      await consuming;
      await eventually(() => queue.wake(job("run_2")));
      await eventually(() => expect(seen).toContain("run_2"));
    });
  });
});

it("refuses another kind of URL", () => {
  expect(() => createQueue({ url: "amqp://127.0.0.1" })).toThrow(/redis:\/\//);
});

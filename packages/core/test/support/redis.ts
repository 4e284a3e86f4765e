import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { freePort } from "./postgres.ts";

/** A real redis-server of one test file. */
export interface TestRedis {
  readonly url: string;
  flush(): Promise<void>;
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Whether there is a `redis-server` on PATH. */
export function hasRedis(): boolean {
  return spawnSync("redis-server", ["--version"]).status === 0;
}

export async function startRedis(): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), "helix-redis-"));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const argv = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"];
  let server: ReturnType<typeof launch> | null = null;

  const launch = () => spawn("redis-server", argv, { stdio: "ignore" });
  const withClient = async (work: (client: Redis) => Promise<unknown>) => {
    const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
    client.on("error", () => {});
    try {
      await client.connect();
      await work(client);
    } finally {
      client.disconnect();
    }
  };
  const start = async () => {
    server = launch();
    for (;;) {
      try {
        return await withClient((client) => client.ping());
      } catch {
        await sleep(20);
      }
    }
  };
  const kill = async () => {
    const running = server;
    server = null;
    if (running === null || running.exitCode !== null) return;
    const exited = once(running, "exit");
    running.kill("SIGKILL");
    await exited;
  };
  await start();
  return {
    url,
    start,
    kill,
    flush: () => withClient((client) => client.flushall()),
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import pg from "pg";
import type { BeatSettings } from "./heartbeat.ts";
import { HEARTBEAT_SESSION } from "./session.ts";

/** No statement of this connection may take longer than a lease: better a beat less than a beat that hangs. */
const STATEMENT_MS = 3_000;

const { url, worker, everyMs } = workerData as BeatSettings;
const stop = new AbortController();
parentPort?.on("message", () => stop.abort());
await beatUntilStopped();
parentPort?.close();

async function beatUntilStopped(): Promise<void> {
  let client: pg.Client | null = null;
  while (!stop.signal.aborted) {
    try {
      client ??= await connect();
      await client.query("update helix.worker set beat = beat + 1 where id = $1 and ended_at is null", [worker]);
      parentPort?.postMessage({ beat: true });
    } catch (thrown) {
      parentPort?.postMessage({ error: thrown instanceof Error ? thrown.message : String(thrown) });
      const lost = client;
      client = null;
      await lost?.end().catch(() => {});
    }
    await sleep(client === null ? Math.min(everyMs, 250) : everyMs, undefined, { signal: stop.signal }).catch(() => {});
  }
  await client?.end().catch(() => {});
}

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: HEARTBEAT_SESSION,
    connectionTimeoutMillis: STATEMENT_MS,
    statement_timeout: STATEMENT_MS,
    query_timeout: STATEMENT_MS,
    keepAlive: true,
  });
  client.on("error", () => {});
  await client.connect();
  return client;
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHeartbeat } from "../../src/adapters/heartbeat/heartbeat.ts";
import { dumpLedger, migrate, openDatabase, requireNoWorkers } from "../../src/adapters/postgres/index.ts";
import { type TestPostgres, startPostgres } from "../support/postgres.ts";
import { mountTinyDisk } from "../support/tiny-disk.ts";

const disk = await mountTinyDisk();
let postgres: TestPostgres;
let url: string;

beforeAll(async () => {
  postgres = await startPostgres();
  url = await postgres.database();
  const database = openDatabase({ url, poolSize: 1 });
  await migrate(database);
  await database.close();
});
afterAll(async () => {
  await postgres?.stop();
  await disk?.unmount();
});

describe("a dump of the ledger", () => {
  it.skipIf(disk === null)("says so when the disk is full", async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query("create table helix.big as select repeat('x', 10000) as text from generate_series(1, 2000)");
    await client.end();
    await expect(dumpLedger(url, disk!.folder)).rejects.toMatchObject({ code: "DISK_FULL" });
  });

  it("says what is wrong where that is not the connection", async () => {
    const folder = await mkdtemp(join(tmpdir(), "helix-dump-"));
    const failed = await dumpLedger(await postgres.database(), folder).catch((error: unknown) => error);
    expect(String(failed)).toContain('relation "helix.installation" does not exist');
    await rm(folder, { recursive: true });
  });

  it("is not loaded while a worker's heart beats", async () => {
    const heart = startHeartbeat({ url, worker: "wrk_none", everyMs: 20 });
    const refused = () => requireNoWorkers(url, { graceMs: 0 }).then(() => "taken", String);
    await expect.poll(refused).toContain("a worker is at work");
    await heart.stop();
    await requireNoWorkers(url);
  });

  it("says so when the database does not answer", async () => {
    await postgres.kill();
    await expect(dumpLedger(url, tmpdir())).rejects.toMatchObject({ code: "DATABASE_DOWN" });
  });
});

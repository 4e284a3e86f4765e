import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { startHeartbeat } from "../../src/adapters/heartbeat/heartbeat.ts";
import type { Ledger, LedgerWrite } from "../../src/ports/ledger.ts";
import type { Scope } from "../../src/ports/scope.ts";
import { eventually } from "../support/eventually.ts";
import { newDeployment, newLedger } from "../support/ledger.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { goLive, intend, runningDeployment } from "../support/run.ts";

let postgres: TestPostgres;
let ledger: Ledger;
let scope: Scope;
let url: string;

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  ({ ledger, scope, url } = await newLedger(postgres));
});
afterEach(() => ledger.close());

it("says that the database is down, and goes on when it is back", async () => {
  const { deployment } = await ledger.createDeployment(scope, newDeployment());
  await postgres.kill();
  const down = { code: "DATABASE_DOWN", retryable: true };
  await expect(ledger.ping()).rejects.toMatchObject(down);
  await expect(ledger.createDeployment(scope, newDeployment())).rejects.toMatchObject(down);
  await expect(ledger.deployment(scope, deployment.id)).rejects.toMatchObject(down);
  await expect(ledger.heldRuns()).rejects.toMatchObject(down);
  await postgres.start();
  expect(await ledger.deployment(scope, deployment.id)).toMatchObject({ state: "queued" });
});

it("loses no commit and applies none twice while the server is killed again and again", async () => {
  const grip = await runningDeployment({ ledger, scope });
  let isOver = false;
  const killing = (async () => {
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      await postgres.kill();
      await postgres.start();
    }
    isOver = true;
  })();
  let sent = 0;
  for (; !isOver || sent < 50; sent++) {
    const note: LedgerWrite = { write: "event", type: "note", data: { sent } };
    await ledger.commit(grip, [note]);
  }
  await killing;
  const events = await ledger.events(scope, { stream: `deployment:${grip.deployment}`, after: 2, limit: 100_000 });
  expect(events.map((event) => event.data["sent"])).toEqual(Array.from({ length: sent }, (_, i) => i));
  expect(events.map((event) => event.seq)).toEqual(events.map((_, i) => i + 3));
});

it("answers a commit that ended its own grip although the answer was lost", async () => {
  const grip = await runningDeployment({ ledger, scope });
  await ledger.commit(grip, [intend("build:web")]);
  const ending = goLive(ledger, grip);
  await postgres.kill();
  await postgres.start();
  const release = await ending;
  expect(await ledger.deployment(scope, grip.deployment)).toMatchObject({ state: "live", release });
});

it("tells watchers what happened while the database was down", async () => {
  const grip = await runningDeployment({ ledger, scope });
  const stop = new AbortController();
  let calls = 0;
  await ledger.watch(scope, { stream: `deployment:${grip.deployment}`, signal: stop.signal }, () => calls++);
  await postgres.kill();
  await postgres.start();
  const before = calls;
  await ledger.commit(grip, [{ write: "event", type: "note", data: {} }]);
  await eventually(() => expect(calls).toBeGreaterThan(before), 5_000);
  stop.abort();
});

it("beats on, from a thread that a busy event loop does not stop and a restart only pauses", async () => {
  await ledger.registerWorker({ id: "wrk_heart", machine: "m", boot: "b", pid: 1, startTicks: "1", planes: ["build"] });
  const beat = async () => (await ledger.listWorkers({ live: true }))[0]!.beat;
  const errors: string[] = [];
  const heart = startHeartbeat({ url, worker: "wrk_heart", everyMs: 20, onError: (error) => errors.push(error.message) });
  await eventually(async () => expect(await beat()).toBeGreaterThan(1));
  const before = await beat();
  const busyUntil = performance.now() + 500;
  while (performance.now() < busyUntil);
  expect(await beat()).toBeGreaterThan(before + 5);
  await postgres.kill();
  await eventually(() => expect(errors).toHaveLength(1));
  await postgres.start();
  const after = await beat();
  await eventually(async () => expect(await beat()).toBeGreaterThan(after + 2));
  await heart.stop();
  const last = await beat();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await beat()).toBe(last);
  expect(errors).toHaveLength(1);
});

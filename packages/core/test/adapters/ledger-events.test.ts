import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createLedger } from "../../src/adapters/postgres/ledger.ts";
import type { Ledger } from "../../src/ports/ledger.ts";
import type { Scope } from "../../src/ports/scope.ts";
import { eventually } from "../support/eventually.ts";
import { newDeployment, newLedger } from "../support/ledger.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { runningDeployment } from "../support/run.ts";

let postgres: TestPostgres;
let ledger: Ledger;
let scope: Scope;
let url: string;
let others: Ledger[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  ({ ledger, scope, url } = await newLedger(postgres));
});
afterEach(async () => {
  await Promise.all([ledger, ...others].map((one) => one.close()));
  others = [];
});

function another(): Ledger {
  const made = createLedger({ url });
  others.push(made);
  return made;
}

describe("events", () => {
  it("are numbered without gaps, and a reader that resumes misses none, while many write", async () => {
    const writers = [ledger, another(), another()];
    const reader = another();
    const first = await ledger.createDeployment(scope, newDeployment());
    const stream = `environment:${first.deployment.environment}`;
    let isDone = false;
    const writing = Promise.all(
      writers.map(async (writer) => {
        for (let i = 0; i < 20; i++) await writer.createDeployment(scope, newDeployment());
      }),
    ).then(() => (isDone = true));
    const seen: number[] = [];
    for (;;) {
      const wasDone = isDone;
      const batch = await reader.events(scope, { stream, after: seen.at(-1) ?? 0, limit: 7 });
      seen.push(...batch.map((event) => event.seq));
      if (batch.length === 0 && wasDone) break;
    }
    await writing;
    expect(seen).toEqual(Array.from({ length: 61 + 60 }, (_, i) => i + 1));
  });

  it("of a commit that is refused leave no gap", async () => {
    const grip = await runningDeployment({ ledger, scope });
    const event = { write: "event", type: "note", data: { text: "hello" } } as const;
    await expect(ledger.commit(grip, [event, { write: "step.end", step: "none", state: "done" }])).rejects.toThrow();
    await ledger.commit(grip, [event]);
    const events = await ledger.events(scope, { stream: `deployment:${grip.deployment}`, after: 0, limit: 10 });
    expect(events.map((one) => one.seq)).toEqual([1, 2, 3]);
    expect(events[2]).toMatchObject({ type: "note", data: { text: "hello" } });
  });
});

describe("watch", () => {
  it("calls back for its own stream, in another process than the writer's, until its signal fires", async () => {
    const grip = await runningDeployment({ ledger, scope });
    const [mine, other] = [newWatcher(), newWatcher()];
    const watcher = another();
    await watcher.watch(scope, { stream: `deployment:${grip.deployment}`, signal: mine.stop.signal }, mine.call);
    await watcher.watch(scope, { stream: "deployment:dep_other", signal: other.stop.signal }, other.call);
    await sleep(50);
    const [before, otherBefore] = [mine.calls(), other.calls()];
    await ledger.commit(grip, [{ write: "event", type: "note", data: {} }]);
    await eventually(() => expect(mine.calls()).toBe(before + 1), 2_000);
    expect(other.calls()).toBe(otherBefore);
    mine.stop.abort();
    await ledger.commit(grip, [{ write: "event", type: "note", data: {} }]);
    await sleep(100);
    expect(mine.calls()).toBe(before + 1);
  });

  it("uses one connection for all watchers, and goes on after it was cut", async () => {
    const grip = await runningDeployment({ ledger, scope });
    const stream = `deployment:${grip.deployment}`;
    const watchers = Array.from({ length: 50 }, newWatcher);
    await Promise.all(watchers.map(({ stop, call }) => ledger.watch(scope, { stream, signal: stop.signal }, call)));
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const listening = () =>
      client.query("select pid from pg_stat_activity where application_name = 'helix-listen' and datname = current_database()");
    const first = await listening();
    expect(first.rowCount).toBe(1);
    await client.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'helix-listen'");
    await eventually(async () => {
      const { rows } = await listening();
      expect(rows).toHaveLength(1);
      expect(rows[0]).not.toEqual(first.rows[0]);
    });
    await client.end();
    await sleep(100);
    const before = watchers.map(({ calls }) => calls());
    await ledger.commit(grip, [{ write: "event", type: "note", data: {} }]);
    await eventually(() => expect(watchers.map(({ calls }) => calls())).toEqual(before.map((count) => count + 1)), 2_000);
  });
});

function newWatcher() {
  const stop = new AbortController();
  let count = 0;
  return { stop, call: () => void count++, calls: () => count };
}

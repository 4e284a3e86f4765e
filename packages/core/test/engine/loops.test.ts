import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { relay } from "../../src/engine/relay.ts";
import { LEASE_MS, lookOnce, takeover, type TakeoverDeps } from "../../src/engine/takeover.ts";
import type { WakeJob } from "../../src/ports/index.ts";
import { type Bench, newBench } from "../support/bench.ts";
import { eventually } from "../support/eventually.ts";
import { manifest } from "../support/manifests.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { claimNext } from "../support/run.ts";

let postgres: TestPostgres;
let bench: Bench;
const ended = new Set<AbortController>();
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  bench = await newBench(postgres);
});
afterEach(async () => {
  for (const controller of ended) controller.abort();
  ended.clear();
  await sleep(50);
  await bench.close();
});

function untilEnd(): AbortSignal {
  const controller = new AbortController();
  ended.add(controller);
  return controller.signal;
}

const askOne = async () => {
  const { digest } = await bench.snapshot({ "index.js": "1" });
  return bench.ask({ manifest: manifest({ web: {} }), snapshot: digest });
};

describe("relay", () => {
  test("sends what is put at once, without waiting for its next look", async () => {
    const sent: number[] = [];
    void relay({ ...bench.deps, queue: { wake: async () => void sent.push(performance.now()) } }, untilEnd());
    await sleep(300);
    const began = performance.now();
    await askOne();
    await eventually(() => expect(sent).toHaveLength(1));
    expect(sent[0]! - began).toBeLessThan(500);
  });

  test("sends a wake-up again that the queue has lost, and one that the queue refused", async () => {
    const sent: WakeJob[] = [];
    let refusals = 1;
    const wake = async (job: WakeJob) => {
      if (refusals-- > 0) throw new Error("the queue is away");
      sent.push(job);
    };
    await askOne();
    void relay({ ...bench.deps, queue: { wake } }, untilEnd());
    await eventually(() => expect(sent.length).toBeGreaterThanOrEqual(2));
    expect(new Set(sent.map(({ run }) => run)).size).toBe(1);
  });

  test("ends with its signal", async () => {
    const controller = new AbortController();
    const running = relay({ ...bench.deps, queue: { wake: async () => {} } }, controller.signal);
    controller.abort();
    await running;
  });
});

describe("takeover", () => {
  const here = { machine: "m1", boot: "b1", planes: [] };
  const alive = new Set<number>();
  const killed: number[] = [];
  const atWork = new Set<string>();
  let now = 0;
  const probe: TakeoverDeps["probe"] = {
    machine: () => "m1",
    boot: () => "b1",
    isAlive: ({ pid }) => alive.has(pid),
    kill: ({ pid }) => {
      killed.push(pid);
      alive.delete(pid);
    },
  };
  const deps = (): TakeoverDeps => ({
    ...bench.deps,
    clock: { ...systemClock, monotonic: () => now },
    probe,
    isAtWork: (run) => atWork.has(run),
  });

  beforeEach(async () => {
    alive.clear();
    atWork.clear();
    killed.length = 0;
    now = 0;
    alive.add(100);
    await bench.ledger.registerWorker({ id: "wrk_a", pid: 100, startTicks: "1", ...here });
    await askOne();
    await claimNext(bench.ledger, "wrk_a");
  });

  const held = async () => (await bench.ledger.heldRuns()).length;
  /** Looks every second of the observer's clock. */
  async function look(seconds: number) {
    let watched: Awaited<ReturnType<typeof lookOnce>> = new Map();
    for (let second = 0; second <= seconds; second++, now += 1_000) watched = await lookOnce(deps(), { worker: "wrk_b", watched });
    return watched;
  }

  test("takes the run of a worker whose process is gone at once", async () => {
    await look(0);
    expect(await held()).toBe(1);
    alive.delete(100);
    await look(0);
    expect(await held()).toBe(0);
    await bench.work("wrk_b");
    expect(await bench.revisions()).toEqual(["web serving"]);
  });

  test("does not start beside a plugin host of the dead; ends it when the lease is over", async () => {
    await bench.ledger.recordHost("wrk_a", { plugin: "memory", pid: 200, startTicks: "2" });
    alive.delete(100);
    alive.add(200);
    await look(9);
    expect([await held(), killed]).toEqual([1, []]);
    await look(10);
    expect([await held(), killed]).toEqual([0, [200]]);
  });

  test("takes the run of a worker that stands still for a whole lease", async () => {
    await look(LEASE_MS / 1_000 - 1);
    expect(await held()).toBe(1);
    await look(LEASE_MS / 1_000);
    expect(await held()).toBe(0);
  });

  test("takes up what this very worker holds and does not work on", async () => {
    const { run } = (await bench.ledger.heldRuns())[0]!;
    atWork.add(run);
    await lookOnce(deps(), { worker: "wrk_a", watched: new Map() });
    expect(await held()).toBe(1);
    atWork.delete(run);
    await lookOnce(deps(), { worker: "wrk_a", watched: new Map() });
    expect(await held()).toBe(0);
    await bench.work("wrk_a");
    expect(await bench.revisions()).toEqual(["web serving"]);
  });

  test("a beat begins the lease anew", async () => {
    let watched = await look(8);
    await bench.ledger.beat("wrk_a");
    for (let second = 0; second < 9; second++, now += 1_000) watched = await lookOnce(deps(), { worker: "wrk_b", watched });
    expect(await held()).toBe(1);
  });

  test("looks that are far apart prove nothing", async () => {
    let watched: Awaited<ReturnType<typeof lookOnce>> = new Map();
    for (let i = 0; i < 4; i++, now += 9_000) watched = await lookOnce(deps(), { worker: "wrk_b", watched });
    expect(await held()).toBe(1);
  });

  test("a machine that was restarted has nobody of before", async () => {
    await lookOnce({ ...deps(), probe: { ...probe, boot: () => "b2" } }, { worker: "wrk_b", watched: new Map() });
    expect(await held()).toBe(0);
  });

  test("another machine's worker has its lease, and its hosts a while more", async () => {
    await bench.ledger.recordHost("wrk_a", { plugin: "memory", pid: 200, startTicks: "2" });
    const far = { ...deps(), probe: { ...probe, machine: () => "m2" } };
    let watched: Awaited<ReturnType<typeof lookOnce>> = new Map();
    for (; now <= 39_000; now += 1_000) watched = await lookOnce(far, { worker: "wrk_b", watched });
    expect(await held()).toBe(1);
    for (; now <= 42_000; now += 1_000) watched = await lookOnce(far, { worker: "wrk_b", watched });
    expect(await held()).toBe(0);
  });

  test("signs off a worker that died with nothing in hand, and no other", async () => {
    const idle = { id: "wrk_idle", pid: 300, startTicks: "3", ...here };
    await bench.ledger.registerWorker(idle);
    await bench.ledger.registerWorker({ ...idle, id: "wrk_lives", pid: 100 });
    await bench.ledger.registerWorker({ ...idle, id: "wrk_far", machine: "m2" });
    void takeover(deps(), { worker: "wrk_b", signal: untilEnd() });
    const live = async () => (await bench.ledger.listWorkers({ live: true })).map(({ id }) => id);
    await eventually(async () => expect(await live()).toEqual(["wrk_a", "wrk_far", "wrk_lives"]));
  });

  test("leaves what it works on alone, and goes on while the database is away", async () => {
    alive.delete(100);
    for (const { run } of await bench.ledger.heldRuns()) atWork.add(run);
    void takeover(
      { ...deps(), ledger: { ...bench.ledger, heldRuns: failingOnce(bench.ledger.heldRuns) } },
      { worker: "wrk_a", signal: untilEnd() },
    );
    await sleep(700);
    expect(await held()).toBe(1);
    void takeover(
      { ...deps(), ledger: { ...bench.ledger, heldRuns: failingOnce(bench.ledger.heldRuns) } },
      { worker: "wrk_b", signal: untilEnd() },
    );
    await eventually(async () => expect(await held()).toBe(0));
  });
});

function failingOnce<T>(work: () => Promise<T>): () => Promise<T> {
  let failures = 1;
  return () => (failures-- > 0 ? Promise.reject(new Error("away")) : work());
}

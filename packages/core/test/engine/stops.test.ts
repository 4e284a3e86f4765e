import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { PluginCall } from "../../src/ports/index.ts";
import { type Bench, newBench } from "../support/bench.ts";
import { eventually } from "../support/eventually.ts";
import { manifest } from "../support/manifests.ts";
import { wakeUps } from "../support/run.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";

let postgres: TestPostgres;
let bench: Bench;
let live: string;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  bench = await newBench(postgres);
  live = (await bench.deploy(manifest({ web: {} }))).release!;
});
afterEach(() => bench.close());

const changed = manifest({ web: { env: { A: "1" }, tasks: { migrate: "migrate" } } });

/** A gate in front of one verb: the call waits there, as a long one would, until it is aborted or let through. */
function gate(isMeant: (call: PluginCall) => boolean) {
  let open = () => {};
  let reached = () => {};
  const arrived = new Promise<void>((resolve) => (reached = resolve));
  const through = new Promise<void>((resolve) => (open = resolve));
  bench.dials.onCall = async (call) => {
    if (!isMeant(call)) return;
    reached();
    await Promise.race([
      through,
      new Promise((_, reject) => call.signal?.addEventListener("abort", () => reject(aborted()), { once: true })),
    ]);
  };
  return { arrived, open };
}

const aborted = () =>
  Object.assign(new Error("stopped"), { name: "PluginError", code: "ABORTED", retryable: false, logs: [], details: {} });

async function askChanged(deadlineMs = 60_000) {
  const { digest } = await bench.snapshot({ "index.js": "2" });
  return bench.ask({ manifest: changed, snapshot: digest }, { deadlineMs });
}

async function expectOnlyTheOldOne() {
  expect((await bench.environment()).liveRelease).toBe(live);
  expect(await bench.revisions()).toEqual(["web serving"]);
  expect(await bench.running()).toEqual(["web running"]);
}

test.each(["build", "run", "apply"])("a cancel stops a long %s and takes everything back", async (verb) => {
  const { arrived } = gate((call) => call.verb === verb && call.plane !== "delivery");
  const { id } = await askChanged();
  const working = bench.work();
  await arrived;
  await bench.ledger.requestCancel(bench.scope, id);
  await working;
  const deployment = (await bench.ledger.deployment(bench.scope, id))!;
  expect(deployment.state).toBe("cancelled");
  expect(deployment.error).toMatchObject({ code: "CANCELLED" });
  await expectOnlyTheOldOne();
});

test("a cancel that comes after the switch has begun comes too late", async () => {
  const { arrived, open } = gate((call) => call.plane === "delivery" && call.verb === "apply");
  const { id } = await askChanged();
  const working = bench.work();
  await arrived;
  await bench.ledger.requestCancel(bench.scope, id);
  setTimeout(open, 300);
  await working;
  expect((await bench.ledger.deployment(bench.scope, id))!.state).toBe("live");
});

test("a deadline that passes ends the deployment and names the step", async () => {
  gate((call) => call.verb === "build");
  const { id } = await askChanged(500);
  await bench.work();
  const deployment = (await bench.ledger.deployment(bench.scope, id))!;
  expect(deployment).toMatchObject({ state: "failed", error: { code: "DEADLINE_PASSED", step: "build:web" } });
  expect(deployment.error!.message).toBe("the deployment of production took longer than its 0.5 s at build:web");
  await expectOnlyTheOldOne();
});

test("a worker that is told to end puts its run back, and the next goes on at the same step", async () => {
  const { arrived } = gate((call) => call.verb === "apply" && call.plane === "runtime");
  const { id } = await askChanged();
  const shutdown = new AbortController();
  const working = bench.work("wrk_a", shutdown.signal);
  await arrived;
  shutdown.abort();
  await working;
  expect((await bench.ledger.deployment(bench.scope, id))!.state).toBe("running");
  expect(await bench.steps(id)).toContain("apply:web intended");
  bench.dials.onCall = () => {};
  await bench.work("wrk_b");
  expect((await bench.ledger.deployment(bench.scope, id))!.state).toBe("live");
  expect(bench.calls.filter(({ verb, operationId }) => verb === "run" && operationId.includes(id))).toHaveLength(1);
});

test("a task that was stopped with its worker is not run again", async () => {
  const { arrived } = gate((call) => call.verb === "run");
  const { id } = await askChanged();
  const shutdown = new AbortController();
  const working = bench.work("wrk_a", shutdown.signal);
  await arrived;
  shutdown.abort();
  await working;
  bench.dials.onCall = () => {};
  await bench.work("wrk_b");
  expect((await bench.ledger.deployment(bench.scope, id))!.error).toMatchObject({ code: "TASK_UNKNOWN_END", step: "task:web:migrate" });
  expect(bench.calls.filter(({ verb }) => verb === "run")).toHaveLength(1);
  await expectOnlyTheOldOne();
});

test("of deployments that wait, the newest is carried out", async () => {
  const { arrived, open } = gate((call) => call.verb === "build");
  const first = await askChanged();
  const working = bench.work();
  await arrived;
  const second = await askChanged();
  const third = await askChanged();
  open();
  await working;
  await bench.work();
  const states = await Promise.all([first, second, third].map(async ({ id }) => (await bench.ledger.deployment(bench.scope, id))!));
  expect(states.map(({ state }) => state)).toEqual(["live", "superseded", "live"]);
  expect(states[2]!.noChange).toBe(true);
});

test("a worker that has lost its run stops at once and touches nothing", async () => {
  const { arrived, open } = gate((call) => call.verb === "build");
  const { id } = await askChanged();
  const [job] = await wakeUps(bench.ledger);
  const working = bench.engine.runJob(job!, "wrk_a", new AbortController().signal);
  await arrived;
  const [held] = await bench.ledger.heldRuns();
  await bench.ledger.takeAway(held!, { from: "wrk_a", limit: 25, reason: "thought to be dead" });
  const before = bench.calls.length;
  open();
  await working;
  expect(bench.calls.slice(before).filter(({ fence }) => fence > 0)).toEqual([]);
  await bench.work("wrk_b");
  expect((await bench.ledger.deployment(bench.scope, id))!.state).toBe("live");
});

test("a database that goes away in the middle moves no step", async () => {
  const { arrived, open } = gate((call) => call.verb === "run");
  const { id } = await askChanged();
  const working = bench.work();
  await arrived;
  await postgres.kill();
  open();
  await postgres.start();
  await working;
  await eventually(async () => {
    await bench.work();
    expect((await bench.ledger.deployment(bench.scope, id))!.state).toBe("live");
  });
  expect(bench.calls.filter(({ verb }) => verb === "run")).toHaveLength(1);
});

import { PluginError } from "@helixstack/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Bench, newBench } from "../support/bench.ts";
import { eventually } from "../support/eventually.ts";
import { manifest } from "../support/manifests.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";

let postgres: TestPostgres;
let bench: Bench;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  bench = await newBench(postgres);
});
afterEach(() => bench.close());

const version = (n: number, forMs = 60_000) => manifest({ web: { env: { V: String(n) } } }, { rollback: { keep: 1, forMs } });
/** Works until it holds: cleanups wake by time. */
const eventuallyWorked = (expectation: () => Promise<void>) =>
  eventually(async () => {
    await bench.work();
    await expectation();
  });

test("a warm revision leaves when its time is over", async () => {
  await bench.deploy(version(1));
  await bench.deploy(version(2, 300));
  expect(await bench.revisions()).toEqual(["web serving", "web warm"]);
  await eventuallyWorked(async () => expect(await bench.revisions()).toEqual(["web serving"]));
  expect(await bench.running()).toEqual(["web running"]);
});

test("only as many as are kept stay warm, those that served last", async () => {
  await bench.deploy(version(1));
  const second = await bench.deploy(version(2));
  await bench.deploy(version(3));
  await eventuallyWorked(async () => expect(await bench.revisions()).toEqual(["web serving", "web warm"]));
  const [warm] = await bench.ledger.listRevisions(bench.scope, { states: ["warm"] });
  expect(warm!.release).toBe(second.release);
});

test("the old revision is drained before it is frozen, as long as its service allows", async () => {
  await bench.deploy(version(1));
  const since = bench.calls.length;
  await bench.deploy(version(2));
  const left = bench.calls.slice(since).filter(({ verb, fence }) => (verb === "drain" || verb === "suspend") && fence > 0);
  expect(left.map(({ verb, input }) => [verb, (input as { timeoutMs?: number }).timeoutMs])).toEqual([
    ["drain", 500],
    ["suspend", undefined],
  ]);
});

test("a revision that cannot be frozen is removed", async () => {
  await bench.deploy(version(1));
  bench.dials.onCall = ({ verb }) => {
    if (verb === "suspend") throw new PluginError("INTERNAL", "cannot");
  };
  await bench.deploy(version(2));
  expect(await bench.revisions()).toEqual(["web serving"]);
});

test("what cannot be removed just now is removed later", async () => {
  await bench.deploy(manifest({ web: { env: { V: "1" } } }, { rollback: { keep: 0, forMs: 0 } }));
  let failures = 0;
  bench.dials.onCall = ({ verb, plane }) => {
    if (plane === "runtime" && verb === "destroy" && failures++ < 4) throw new PluginError("UNAVAILABLE", "away");
  };
  const second = await bench.deploy(manifest({ web: { env: { V: "2" } } }, { rollback: { keep: 0, forMs: 0 } }));
  expect(second.state).toBe("live");
  expect(await bench.revisions()).toEqual(["web retiring", "web serving"]);
  await eventuallyWorked(async () => expect(await bench.revisions()).toEqual(["web serving"]));
});

test("one that says it removed a revision which is still there is not believed", async () => {
  await bench.deploy(manifest({ web: { env: { V: "1" } } }, { rollback: { keep: 0, forMs: 0 } }));
  const [old] = Object.keys((await bench.world()).revisions);
  let isLying = true;
  bench.dials.onCall = async (call) => {
    if (!isLying || call.plane !== "runtime" || call.verb !== "observe" || call.identity.revision !== old) return;
    const first = bench.calls.find(({ verb, plane }) => verb === "apply" && plane === "runtime")!;
    if (bench.calls.some(({ verb, plane }) => plane === "runtime" && verb === "destroy")) {
      isLying = false;
      await bench.deps.dispatcher.call({ ...first, fence: call.fence + 1_000 });
    }
  };
  await bench.deploy(manifest({ web: { env: { V: "2" } } }, { rollback: { keep: 0, forMs: 0 } }));
  bench.dials.onCall = () => {};
  const [left] = (await bench.ledger.listRevisions(bench.scope, {})).filter(({ id }) => id === old);
  expect(left?.state).toBe("retiring");
});

test("a cleanup holds nobody up: a deployment goes through while it drains", async () => {
  await bench.deploy(version(1));
  let open = () => {};
  const draining = new Promise<void>((resolve) => (open = resolve));
  bench.dials.onCall = async ({ verb }) => {
    if (verb === "drain") await draining;
  };
  const { digest } = await bench.snapshot({ "index.js": "x" });
  const { id } = await bench.ask({ manifest: version(2), snapshot: digest });
  const working = bench.work();
  await eventually(async () => expect((await bench.ledger.deployment(bench.scope, id))!.state).toBe("live"));
  await eventually(() => expect(bench.calls.at(-1)!.verb).toBe("drain"));
  const third = await bench.ask({ manifest: version(3), snapshot: digest });
  const other = bench.work("wrk_b");
  await eventually(async () => expect((await bench.ledger.deployment(bench.scope, third.id))!.state).toBe("live"));
  open();
  await Promise.all([working, other]);
  await eventuallyWorked(async () => expect(await bench.revisions()).toEqual(["web serving", "web warm"]));
});

test("a rollback takes a revision back out of its drain, and no connection to it is closed", async () => {
  const first = await bench.deploy(version(1));
  const aborted: boolean[] = [];
  let drains = 0;
  bench.dials.onCall = ({ verb, signal }) => {
    if (verb !== "drain" || drains++ > 0) return;
    return new Promise((resolve) => {
      signal!.addEventListener("abort", () => {
        aborted.push(true);
        resolve();
      });
    });
  };
  const { digest } = await bench.snapshot({ "index.js": "console.log('hello')" });
  await bench.ask({ manifest: version(2), snapshot: digest });
  const working = bench.work();
  await eventually(async () => expect(await bench.revisions()).toEqual(["web draining", "web serving"]));
  await eventually(() => expect(bench.calls.at(-1)!.verb).toBe("drain"));
  const { id } = await bench.ask({ kind: "rollback", toRelease: first.release! });
  await bench.work("wrk_b");
  await working;
  expect((await bench.ledger.deployment(bench.scope, id))!).toMatchObject({ state: "live", release: first.release });
  expect(aborted).toEqual([true]);
  await eventuallyWorked(async () => expect(await bench.running()).toEqual(["web frozen", "web running"]));
  const [serving] = await bench.ledger.listRevisions(bench.scope, { states: ["serving"] });
  expect((await bench.world()).revisions[serving!.id]!.phase).toBe("running");
});

test("a rollback waits for a freeze that is under way, so that it cannot come after the thaw", async () => {
  const first = await bench.deploy(version(1));
  let finish = () => {};
  const freezing = new Promise<void>((resolve) => (finish = resolve));
  bench.dials.onCall = async ({ verb }) => {
    if (verb === "suspend") await freezing;
  };
  const { digest } = await bench.snapshot({ "index.js": "console.log('hello')" });
  await bench.ask({ manifest: version(2), snapshot: digest });
  const working = bench.work();
  await eventually(async () => expect(await bench.revisions()).toEqual(["web serving", "web warm"]));
  const { id } = await bench.ask({ kind: "rollback", toRelease: first.release! });
  const rollingBack = bench.work("wrk_b");
  await eventually(async () => expect(await bench.steps(id)).toContain("policy-artifact done"));
  finish();
  await Promise.all([working, rollingBack]);
  expect((await bench.ledger.deployment(bench.scope, id))!.state).toBe("live");
  const [serving] = await bench.ledger.listRevisions(bench.scope, { states: ["serving"] });
  expect((await bench.world()).revisions[serving!.id]!.phase).toBe("running");
});

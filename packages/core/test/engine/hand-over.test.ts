import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { Service } from "../../src/domain/manifest.ts";
import { createEngine } from "../../src/engine/index.ts";
import type { Grip, Ledger } from "../../src/ports/index.ts";
import { type Bench, newBench } from "../support/bench.ts";
import { manifest } from "../support/manifests.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { wakeUps } from "../support/run.ts";

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

const volumes: Service["volumes"] = { data: { path: "/data", writers: "single" } };
const shop = (changes: Partial<Service> = {}) => manifest({ web: { volumes, tasks: { migrate: "migrate" }, ...changes }, site: {} });

/** What happened to the web service since, in order. */
function story(since: number): readonly string[] {
  return bench.calls.slice(since).flatMap(({ plane, verb, input }) => {
    if (plane === "delivery" && verb === "apply") {
      const { routes } = (input as { table: { routes: { service: string; targets: unknown[]; holdMs: number | null }[] } }).table;
      const web = routes.find(({ service }) => service === "web");
      return [`${web?.holdMs != null ? "hold" : "route"} to ${web?.targets.length ?? 0}`];
    }
    return plane === "runtime" && ["apply", "suspend", "run", "ensureVolume", "destroy"].includes(verb) ? [verb] : [];
  });
}

test("requests wait while the old one stops, tasks run and the new one starts", async () => {
  await bench.deploy(shop());
  const since = bench.calls.length;
  const second = await bench.deploy(shop({ env: { A: "1" } }));
  expect(second.state).toBe("live");
  expect(story(since)).toEqual(["ensureVolume", "hold to 0", "suspend", "run", "apply", "route to 1", "destroy"]);
  const held = bench.calls.find(({ verb, operationId }) => verb === "apply" && operationId.endsWith("hold:memory"))!;
  expect((held.input as { table: { routes: object[] } }).table.routes).toMatchObject([
    { service: "site", holdMs: null },
    { service: "web", holdMs: 5_000 },
  ]);
  expect(await bench.revisions()).toEqual(["site serving", "web serving"]);
  const [volume, ...others] = await bench.ledger.volumes(bench.scope, {});
  expect(others).toEqual([]);
  const specs = Object.values((await bench.world()).revisions).flatMap(({ spec }) => spec.volumes);
  expect(specs).toEqual([{ name: "data", path: "/data", writers: "single", handle: volume!.handle }]);
});

test("a failure starts the old one again and lets requests through to it", async () => {
  const { release } = await bench.deploy(shop());
  const since = bench.calls.length;
  bench.dials.status = 500;
  const failing = { options: { memory: { endpoint: { host: "127.0.0.1", port: bench.port } } }, health: { path: null, timeoutMs: 60 } };
  const failed = await bench.deploy(shop(failing));
  expect(failed).toMatchObject({ state: "failed", error: { code: "HEALTH_FAILED" } });
  expect(story(since)).toEqual(["ensureVolume", "hold to 0", "suspend", "run", "apply", "destroy", "apply", "route to 1"]);
  const [table] = Object.values((await bench.world()).tables);
  expect(table!.table.routes.map(({ holdMs, targets }) => [holdMs, targets[0]!.release])).toEqual([
    [null, release],
    [null, release],
  ]);
  expect(await bench.running()).toEqual(["site running", "web running"]);
});

test("a rollback is a hand-over too, and finds no warm revision", async () => {
  const first = await bench.deploy(shop());
  await bench.deploy(shop({ env: { A: "1" } }));
  const since = bench.calls.length;
  expect((await bench.rollback(first.release!)).state).toBe("live");
  expect(story(since)).toEqual(["ensureVolume", "hold to 0", "suspend", "apply", "route to 1", "destroy"]);
});

test("an old revision that is not there any more needs no stop", async () => {
  await bench.deploy(shop());
  const applied = bench.calls.find(
    ({ verb, plane, identity }) => verb === "apply" && plane === "runtime" && identity.names.service === "web",
  )!;
  await bench.deps.dispatcher.call({ ...applied, verb: "destroy", input: { prior: null, graceMs: 0 } });
  const second = await bench.deploy(shop());
  expect(second.plan!.changes).toMatchObject([{ path: "state", from: "gone" }]);
  expect(second.state).toBe("live");
  expect(await bench.running()).toEqual(["site running", "web running"]);
});

test("an old revision that does not get well again is let through to all the same, and said so", async () => {
  const at = { options: { memory: { endpoint: { host: "127.0.0.1", port: bench.port } } }, health: { path: null, timeoutMs: 60 } };
  await bench.deploy(shop(at));
  bench.dials.status = 500;
  const failed = await bench.deploy(shop({ ...at, env: { A: "1" } }));
  expect(failed.error).toMatchObject({ code: "HEALTH_FAILED" });
  const events = await bench.ledger.events(bench.scope, { stream: `deployment:${failed.id}`, after: 0, limit: 100 });
  expect(events.map(({ type }) => type)).toContain("revision.unhealthy");
  const [table] = Object.values((await bench.world()).tables);
  expect(table!.table.routes.map(({ holdMs, targets }) => [holdMs, targets.length])).toEqual([
    [null, 1],
    [null, 1],
  ]);
});

test("one that is quarantined gives the volume back to the old revision, which waits for it", async () => {
  const { release, request } = await bench.deploy(shop());
  const since = bench.calls.length;
  const grip = await dieBetweenApplyAndItsEnd(request.snapshot);
  await bench.ledger.takeAway(
    { organization: bench.scope.organization, run: grip.run },
    { from: grip.worker, limit: 0, reason: "it died" },
  );
  await bench.work();
  expect((await bench.ledger.deployment(bench.scope, grip.deployment))!.error).toMatchObject({ code: "QUARANTINED" });
  expect(story(since)).toEqual(["ensureVolume", "hold to 0", "suspend", "run", "apply", "destroy", "apply", "route to 1"]);
  expect(await bench.running()).toEqual(["site running", "web running"]);
  const [table] = Object.values((await bench.world()).tables);
  expect(table!.table.routes.map(({ holdMs, targets }) => [holdMs, targets[0]?.release])).toEqual([
    [null, release],
    [null, release],
  ]);
});

/** A deployment whose worker never gets to write down that the new revision runs. */
async function dieBetweenApplyAndItsEnd(snapshot: string | null): Promise<Grip> {
  const { deps, ledger } = bench;
  await bench.ask({ manifest: shop({ env: { A: "1" } }), snapshot });
  return new Promise((resolve) => {
    const commit: Ledger["commit"] = (grip, writes) => {
      if (!writes.some((write) => write.write === "step.end" && write.step === "apply:web")) return ledger.commit(grip, writes);
      resolve(grip);
      return new Promise<never>(() => {});
    };
    const dying = createEngine({ ...deps, ledger: { ...deps.ledger, commit } });
    void wakeUps(ledger).then((jobs) => jobs.forEach((job) => void dying.runJob(job, "wrk_dying", new AbortController().signal)));
  });
}

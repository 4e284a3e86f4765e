import { PluginError } from "@helixstack/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { PluginCall } from "../../src/ports/index.ts";
import { type Bench, newBench } from "../support/bench.ts";
import { manifest } from "../support/manifests.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";

let postgres: TestPostgres;
let bench: Bench;
const names = { project: "shop", environment: "production" };
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  bench = await newBench(postgres);
  await bench.deploy(manifest({ web: { env: { V: "1" } }, site: {} }));
});
afterEach(() => bench.close());

/** Does to the world what somebody does behind the engine's back. */
async function meddle(service: string, verb: "destroy" | "suspend", plane: "runtime" | "delivery" = "runtime"): Promise<PluginCall> {
  const known = bench.calls.findLast(
    (call) => call.verb === "apply" && call.plane === plane && (plane === "delivery" || call.identity.names.service === service),
  )!;
  await bench.deps.dispatcher.call({ ...known, verb, input: { prior: null, graceMs: 0, how: "stop" } });
  return known;
}

const recover = async () => {
  const repaired = await bench.engine.recover(bench.scope);
  await bench.work();
  return repaired;
};

test("what is as it should be is left alone", async () => {
  const before = bench.calls.length;
  expect(await recover()).toEqual([]);
  expect(new Set(bench.calls.slice(before).map(({ verb }) => verb))).toEqual(new Set(["observe"]));
});

test("after everything was lost, everything comes back as it was", async () => {
  const before = await bench.ledger.listRevisions(bench.scope, {});
  await meddle("web", "destroy");
  await meddle("site", "destroy");
  await meddle("", "destroy", "delivery");
  expect(await recover()).toHaveLength(1);
  expect(await bench.running()).toEqual(["site running", "web running"]);
  expect((await bench.ledger.listRevisions(bench.scope, {})).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  const [table] = Object.values((await bench.world()).tables);
  expect(table!.table.routes).toHaveLength(2);
  expect(await recover()).toEqual([]);
});

test("a revision that was stopped is started again; the others are not touched", async () => {
  await meddle("web", "suspend");
  const since = bench.calls.length;
  expect(await recover()).toHaveLength(1);
  const acted = bench.calls.slice(since).filter(({ fence, plane, verb }) => fence > 0 && plane === "runtime" && verb === "apply");
  expect(acted.map(({ identity }) => identity.names.service)).toEqual(["web"]);
  expect(await bench.running()).toEqual(["site running", "web running"]);
});

test("one that cannot be brought back does not stop the rest, and is tried again at the next start", async () => {
  await meddle("web", "destroy");
  await meddle("site", "destroy");
  bench.dials.onCall = ({ verb, identity, plane }) => {
    if (plane === "runtime" && verb === "apply" && identity.names.service === "site") throw new PluginError("FORBIDDEN", "no");
  };
  await recover();
  expect(await bench.running()).toEqual(["web running"]);
  bench.dials.onCall = () => {};
  await recover();
  expect(await bench.running()).toEqual(["site running", "web running"]);
});

test("a repair that a deployment interrupts looks again when that has failed", async () => {
  await meddle("web", "destroy");
  bench.dials.decide = (point) => ({ allow: point !== "plan", findings: [], bundle: "none" });
  let isAsked = false;
  bench.dials.onCall = async ({ plane, verb, signal }) => {
    if (isAsked || plane !== "runtime" || verb !== "apply") return;
    isAsked = true;
    const { digest } = await bench.snapshot({ "index.js": "2" });
    await bench.ask({ manifest: manifest({ web: { env: { V: "2" } }, site: {} }), snapshot: digest });
    await new Promise((resolve) => signal!.addEventListener("abort", resolve, { once: true }));
    throw new PluginError("ABORTED", "it was asked to");
  };
  await recover();
  expect(isAsked).toBe(true);
  const { items } = await bench.ledger.listDeployments(bench.scope, { limit: 1 });
  expect(items[0]).toMatchObject({ state: "failed", error: { code: "POLICY_DENIED" } });
  expect(await bench.running()).toEqual(["site running", "web running"]);
});

test("status says what is live and how it is", async () => {
  const status = await bench.engine.status(bench.scope, names);
  expect(status).toMatchObject({ project: "shop", environment: "production", deployment: null });
  expect(status.services.map(({ name, status: health, runtime }) => [name, health, runtime])).toEqual([
    ["site", "live", "memory"],
    ["web", "live", "memory"],
  ]);
  const [site] = status.services;
  expect(site!.url).toBe(`http://site.production.shop.localhost:${site!.address!.port}`);
  expect(site!.revisions).toEqual([{ id: expect.stringMatching(/^rev_/), release: status.release!.id, state: "serving" }]);
  await meddle("web", "suspend");
  expect((await bench.engine.status(bench.scope, names)).services.map(({ status: health }) => health)).toEqual(["live", "down"]);
});

test("a provider that does not answer is not taken for a service that is down", async () => {
  bench.dials.onCall = ({ verb }) => {
    if (verb === "observe") throw new PluginError("UNAVAILABLE", "away");
  };
  expect((await bench.engine.status(bench.scope, names)).services.map(({ status }) => status)).toEqual(["degraded", "degraded"]);
});

test("what is not there is named, with what is", async () => {
  await expect(bench.engine.status(bench.scope, { project: "ghost", environment: "production" })).rejects.toMatchObject({
    code: "PROJECT_NOT_FOUND",
  });
  await expect(bench.engine.status(bench.scope, { project: "shop", environment: "test" })).rejects.toMatchObject({
    code: "ENVIRONMENT_NOT_FOUND",
    message: "project shop has no environment test; it has production",
  });
});

test("a sweep finds what drifted and what nobody remembers, and changes nothing", async () => {
  await bench.deploy(manifest({ web: { env: { V: "2" } }, site: {} }));
  expect(await bench.engine.sweep(bench.scope)).toEqual({ drift: [], orphans: [], unknown: [] });
  const applied = await meddle("web", "suspend");
  await bench.deps.dispatcher.call({ ...applied, identity: { ...applied.identity, revision: "rev_unknown" } });
  await bench.deps.dispatcher.call({ ...applied, identity: { ...applied.identity, installation: "ins_other", revision: "rev_other" } });
  const found = await bench.engine.sweep(bench.scope);
  expect(found.drift).toEqual([
    {
      kind: "revision",
      id: applied.identity.revision,
      service: "web",
      description: "web of shop production should be running and is stopped",
    },
  ]);
  expect(found.orphans).toMatchObject([{ plugin: "memory", kind: "revision", id: "rev_unknown", description: "revision of web" }]);
  expect(await bench.engine.sweep(bench.scope)).toEqual(found);
});

test("a sweep that cannot ask a plugin says so", async () => {
  bench.dials.onCall = ({ verb, plane }) => {
    if (verb === "list" && plane === "delivery") throw new PluginError("UNAVAILABLE", "away");
  };
  const { unknown } = await bench.engine.sweep(bench.scope);
  expect(unknown).toMatchObject([{ plugin: "memory", error: { code: "UNAVAILABLE" } }]);
});

test("a deployment that comes while a repair is at work does not wait for its health, and never works beside it", async () => {
  await meddle("web", "destroy");
  let reached = () => {};
  const arrived = new Promise<void>((resolve) => (reached = resolve));
  const deploying = () =>
    bench.calls.some(({ operationId }) => operationId.includes("apply:web") && !operationId.includes("repair") && operationId.includes(id));
  let id = "none";
  let isOver = false;
  const beside: boolean[] = [];
  bench.dials.onCall = async ({ verb, plane, operationId, signal }) => {
    if (plane !== "runtime" || verb !== "apply" || !operationId.includes("repair")) return;
    reached();
    await new Promise<void>((resolve) => signal!.addEventListener("abort", () => resolve()));
    beside.push(deploying());
    isOver = true;
  };
  await bench.engine.recover(bench.scope);
  const repairing = bench.work("wrk_a");
  await arrived;
  const { digest } = await bench.snapshot({ "index.js": "3" });
  ({ id } = await bench.ask({ manifest: manifest({ web: { env: { V: "3" } }, site: {} }), snapshot: digest }));
  await bench.work("wrk_b");
  await repairing;
  await bench.work("wrk_b");
  expect(isOver).toBe(true);
  expect(beside).toEqual([false]);
  expect((await bench.ledger.deployment(bench.scope, id))!.state).toBe("live");
});

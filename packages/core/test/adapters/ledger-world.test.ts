import type { RevisionSpec } from "@helixstack/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Grip, Ledger, LedgerWrite } from "../../src/ports/ledger.ts";
import type { Scope } from "../../src/ports/scope.ts";
import { newLedger } from "../support/ledger.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { runningDeployment } from "../support/run.ts";

let postgres: TestPostgres;
let ledger: Ledger;
let scope: Scope;
let grip: Grip;
let unit: string;

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  ({ ledger, scope } = await newLedger(postgres));
  grip = await runningDeployment({ ledger, scope });
  unit = await ledger.ensureUnit(scope, { environment: grip.environment, service: "web", plane: "runtime", plugin: "process" });
});
afterEach(() => ledger.close());

const spec = { env: { Z: "1", A: "2" } } as unknown as RevisionSpec;
const create = (id: string): LedgerWrite => ({
  write: "revision.create",
  revision: { id, unit, service: "web", plugin: "process", pluginVersion: "0.1.0", spec },
});

it("gives a unit one id for good, also to many at once", async () => {
  const key = { environment: grip.environment, service: "api", plane: "runtime", plugin: "process" };
  const ids = await Promise.all(Array.from({ length: 10 }, () => ledger.ensureUnit(scope, key)));
  expect(new Set(ids).size).toBe(1);
  expect(await ledger.ensureUnit(scope, { ...key, plugin: "docker" })).not.toBe(ids[0]);
});

describe("revisions", () => {
  it("are made as starting, and updated field by field", async () => {
    await ledger.commit(grip, [create("rev_1")]);
    const made = await ledger.revision(scope, "rev_1");
    expect(made).toMatchObject({
      state: "starting",
      unit,
      environment: grip.environment,
      deployment: grip.deployment,
      endpoints: [],
      pluginState: null,
      stateVersion: null,
      release: null,
    });
    expect(Object.keys(made!.spec.env)).toEqual(["Z", "A"]);
    const endpoints = [{ kind: "http", host: "127.0.0.1", port: 3000 }] as const;
    await ledger.commit(grip, [
      { write: "revision.update", id: "rev_1", pluginState: { pid: 7 }, stateVersion: 1, endpoints },
      {
        write: "revision.update",
        id: "rev_1",
        state: "serving",
        from: ["starting"],
        release: "rel_1",
        retireAt: "2026-11-21T10:00:00.000Z",
      },
    ]);
    expect(await ledger.revision(scope, "rev_1")).toMatchObject({
      state: "serving",
      pluginState: { pid: 7 },
      stateVersion: 1,
      endpoints,
      release: "rel_1",
      retireAt: "2026-11-21T10:00:00.000Z",
    });
  });

  it("are not updated from a state that they are not in", async () => {
    await ledger.commit(grip, [create("rev_1")]);
    const update = { write: "revision.update", id: "rev_1", state: "retiring", from: ["warm", "draining"] } as const;
    await expect(ledger.commit(grip, [update])).rejects.toMatchObject({
      code: "CONFLICT",
      retryable: false,
      message: expect.stringContaining("is starting") as string,
    });
    await expect(ledger.commit(grip, [{ ...update, id: "rev_none" }])).rejects.toMatchObject({ code: "BUG" });
  });

  it("are listed oldest first, without those that are gone", async () => {
    await ledger.commit(grip, [create("rev_1"), create("rev_2"), create("rev_3"), create("rev_4")]);
    await ledger.commit(grip, [
      { write: "revision.update", id: "rev_2", state: "gone" },
      { write: "revision.update", id: "rev_3", state: "warm" },
    ]);
    await ledger.forget(scope, { kind: "revision", id: "rev_4", reason: "removed by hand" });
    const ids = async (filter: Parameters<Ledger["listRevisions"]>[1]) =>
      (await ledger.listRevisions(scope, filter)).map((revision) => revision.id);
    expect(await ids({})).toEqual(["rev_1", "rev_3"]);
    expect(await ids({ environment: grip.environment, states: ["warm"] })).toEqual(["rev_3"]);
    expect(await ids({ states: [] })).toEqual([]);
    expect(await ids({ environment: "env_other" })).toEqual([]);
    expect(await ledger.revision(scope, "rev_4")).toMatchObject({ state: "forgotten" });
    const events = await ledger.events(scope, { stream: `environment:${grip.environment}`, after: 0, limit: 10 });
    expect(events.at(-1)).toMatchObject({ type: "revision.forgotten", data: { reason: "removed by hand", by: scope.principal } });
    await expect(ledger.forget(scope, { kind: "volume", id: "vol_none", reason: "" })).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

describe("routes", () => {
  it("hand out generations that only grow", async () => {
    const intend = (generation: number): LedgerWrite => ({ write: "routes.intend", plugin: "router", unit, generation });
    await ledger.commit(grip, [intend(1)]);
    await ledger.commit(grip, [intend(2)]);
    await expect(ledger.commit(grip, [intend(2)])).rejects.toMatchObject({ code: "CONFLICT" });
    const table = { generation: 2, routes: [] };
    await ledger.commit(grip, [{ write: "routes.set", plugin: "router", table, pluginState: { v: 1 }, addresses: [] }]);
    expect(await ledger.routeTables(scope, { environment: grip.environment })).toEqual([
      { environment: grip.environment, plugin: "router", unit, table, pluginState: { v: 1 }, addresses: [], generation: 2 },
    ]);
    await expect(
      ledger.commit(grip, [{ write: "routes.set", plugin: "other", table, pluginState: null, addresses: [] }]),
    ).rejects.toMatchObject({ code: "BUG" });
  });
});

describe("volumes", () => {
  it("are wanted once, and wanted again when they are gone", async () => {
    const want: LedgerWrite = { write: "volume.want", volume: { id: "vol_1", service: "web", name: "data", plugin: "process" } };
    const handle = { kind: "host-path", id: "/var/lib/x" };
    await ledger.commit(grip, [want, { write: "volume.update", id: "vol_1", state: "there", handle }]);
    await ledger.commit(grip, [want]);
    expect(await ledger.volumes(scope, {})).toMatchObject([{ id: "vol_1", state: "there", handle, name: "data" }]);
    await ledger.commit(grip, [{ write: "volume.update", id: "vol_1", state: "gone" }]);
    await ledger.commit(grip, [want]);
    expect(await ledger.volumes(scope, { environment: grip.environment })).toMatchObject([{ state: "wanted", handle: null }]);
  });
});

describe("records", () => {
  it("keep builds by input key, and the newest artifact of each", async () => {
    const artifact = { kind: "static-site", digest: "sha256:1", uri: "file:///a", metadata: { fallback: null } } as const;
    const record = (digest: string): LedgerWrite => ({
      write: "build.record",
      build: { inputKey: "k", artifact: { ...artifact, digest: `sha256:${digest}` }, plugin: "static@0.1.0" },
    });
    await ledger.commit(grip, [record("1")]);
    await ledger.commit(grip, [record("2")]);
    expect(await ledger.findBuild(scope, "k")).toMatchObject({ artifact: { digest: "sha256:2" } });
    expect(await ledger.findBuild(scope, "other")).toBeNull();
    expect(await ledger.listBuilds(scope)).toHaveLength(1);
  });

  it("keep decisions whole", async () => {
    const decision = { allow: true, findings: [], bundle: "none" };
    const input = { z: 1, a: { deep: "\u0000 zero" } };
    await ledger.commit(grip, [{ write: "decision.record", decision: { id: "dec_1", point: "plan", input, inputDigest: "d", decision } }]);
    expect(await ledger.decisions(scope, grip.deployment)).toMatchObject([{ id: "dec_1", point: "plan", input, decision }]);
  });

  it("keep the plan", async () => {
    const plan = {
      services: [],
      removed: [],
      changes: [],
      steps: [{ id: "plan", kind: "plan", service: null, task: null, subject: null }],
    } as const;
    await ledger.commit(grip, [{ write: "deployment.plan", plan, noChange: true }]);
    expect(await ledger.deployment(scope, grip.deployment)).toMatchObject({ plan, noChange: true });
  });
});

describe("workers", () => {
  it("are listed while they live, and their hosts are remembered", async () => {
    const worker = { id: "wrk_1", machine: "m", boot: "b", pid: 42, startTicks: "99", planes: ["build", "runtime"] };
    await ledger.registerWorker(worker);
    await ledger.registerWorker(worker);
    await ledger.beat("wrk_1");
    expect(await ledger.listWorkers({ live: true })).toMatchObject([{ ...worker, beat: 1, endedAt: null }]);
    const host = { plugin: "node", pid: 43, startTicks: "100" };
    await ledger.recordHost("wrk_1", host);
    await ledger.recordHost("wrk_1", { ...host, pid: 44 });
    await ledger.removeHost("wrk_1", host);
    expect(await ledger.hosts("wrk_1")).toEqual([{ ...host, pid: 44 }]);
    await ledger.endWorker("wrk_1");
    await ledger.beat("wrk_1");
    expect(await ledger.listWorkers({ live: true })).toEqual([]);
    expect(await ledger.listWorkers({ live: false })).toMatchObject([{ beat: 1, endedAt: expect.any(String) as string }]);
  });
});

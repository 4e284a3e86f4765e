import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from "vitest";
import { digestOf } from "../../src/domain/digest.ts";
import type { Finding } from "../../src/ports/index.ts";
import { type Bench, newBench } from "../support/bench.ts";
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

test("a first deploy builds, starts, verifies, routes and releases", async () => {
  const deployment = await bench.deploy(manifest({ web: { start: "node ." }, site: {} }));
  expect(deployment.error).toBeNull();
  expect(deployment.state).toBe("live");
  expect((await bench.environment()).liveRelease).toBe(deployment.release);
  expect(await bench.revisions()).toEqual(["site serving", "web serving"]);
  expect(await bench.running()).toEqual(["site running", "web running"]);
  const [table] = Object.values((await bench.world()).tables);
  expect(table!.table.routes.map(({ service, hosts }) => [service, hosts])).toEqual([
    ["site", ["site.production.shop.localhost"]],
    ["web", ["web.production.shop.localhost"]],
  ]);
  expect(table!.table.routes.every(({ targets }) => targets.length === 1 && targets[0]!.release === deployment.release)).toBe(true);
  const release = await bench.ledger.release(bench.scope, deployment.release!);
  expect(release).toMatchObject({ number: 1, deployment: deployment.id, plugins: { "memory@0.1.0": "sha256:memory" } });
  expect(release!.services["web"]!.artifact.kind).toBe("node-bundle");
  expect(await bench.steps(deployment.id)).toEqual(
    [
      "plan",
      "policy-plan",
      "build:site",
      "build:web",
      "policy-artifact",
      "apply:site",
      "apply:web",
      "verify:site",
      "verify:web",
      "policy-release",
      "route:memory",
      "release",
    ].map((id) => `${id} done`),
  );
  const decisions = await bench.ledger.decisions(bench.scope, deployment.id);
  expect(decisions.map(({ point }) => point)).toEqual(["plan", "artifact", "release"]);
});

test("the same again changes nothing and keeps the release", async () => {
  const wanted = manifest({ web: {}, api: { needs: ["web"] } });
  const first = await bench.deploy(wanted);
  const before = bench.calls.length;
  const again = await bench.deploy(wanted);
  expect(again).toMatchObject({ state: "live", noChange: true, release: first.release });
  expect(await bench.steps(again.id)).toEqual(["plan done", "policy-plan done", "release done"]);
  expect(new Set(bench.calls.slice(before).map(({ verb }) => verb))).toEqual(new Set(["toolchain", "observe"]));
});

test("what changed is replaced, what did not is kept and belongs to both releases", async () => {
  const first = await bench.deploy(manifest({ web: { env: { GREETING: "hello" } }, site: {} }));
  const second = await bench.deploy(manifest({ web: { env: { GREETING: "hi" } }, site: {} }));
  expect(second.plan!.changes).toEqual([{ service: "web", action: "update", path: "env.GREETING", from: "hello", to: "hi" }]);
  expect(second.release).not.toBe(first.release);
  expect(await bench.steps(second.id)).not.toContain("apply:site done");
  expect(await bench.revisions()).toEqual(["site serving", "web serving", "web warm"]);
  expect(await bench.running()).toEqual(["site running", "web frozen", "web running"]);
  const revisions = await bench.ledger.listRevisions(bench.scope, { states: ["serving"] });
  expect(revisions.every(({ release }) => release === second.release)).toBe(true);
});

test("the same input is not built twice", async () => {
  await bench.deploy(manifest({ web: {} }));
  await bench.deploy(manifest({ web: { env: { A: "1" } } }));
  expect(bench.calls.filter(({ verb }) => verb === "build")).toHaveLength(1);
  await bench.deploy(manifest({ web: { env: { A: "1" } } }), { files: { "index.js": "2" } });
  expect(bench.calls.filter(({ verb }) => verb === "build")).toHaveLength(2);
});

test("a service is told where those that it needs answer, before it starts", async () => {
  const deployment = await bench.deploy(manifest({ web: { needs: ["image-worker"] }, "image-worker": {} }));
  expect(deployment.state).toBe("live");
  expect(await bench.steps(deployment.id)).toContain("reserve:memory done");
  const address = (await bench.ledger.routeTables(bench.scope, {}))[0]!.addresses.find(({ service }) => service === "image-worker")!;
  const { spec } = Object.values((await bench.world()).revisions).find(({ identity }) => identity.names.service === "web")!;
  expect(spec.env).toMatchObject({
    HELIX_SERVICE_IMAGE_WORKER_URL: `http://127.0.0.1:${address.address.port}`,
    HELIX_PROJECT: "shop",
    HELIX_ENVIRONMENT: "production",
    HELIX_SERVICE: "web",
  });
});

test("a removed service leaves the table and the world", async () => {
  await bench.deploy(manifest({ web: {}, old: {} }));
  const second = await bench.deploy(manifest({ web: {} }, { rollback: { keep: 0, forMs: 0 } }));
  expect(second.plan!.removed).toEqual(["old"]);
  expect(await bench.revisions()).toEqual(["web serving"]);
  const [table] = Object.values((await bench.world()).tables);
  expect(table!.table.routes.map(({ service }) => service)).toEqual(["web"]);
});

test("secrets are pinned by version, and a new version replaces", async () => {
  bench.dials.secrets = { DB: { version: "1", value: "x" } };
  const wanted = manifest({ web: { secrets: [{ name: "DB", as: "env" }] } });
  await bench.deploy(wanted);
  expect((await bench.deploy(wanted)).noChange).toBe(true);
  bench.dials.secrets = { DB: { version: "2", value: "y" } };
  const rotated = await bench.deploy(wanted);
  expect(rotated.plan!.changes).toHaveLength(1);
  expect(rotated.plan!.changes[0]!.path).toContain("secrets.DB");
  const { spec } = Object.values((await bench.world()).revisions).find(({ phase }) => phase === "running")!;
  expect(spec.secrets).toEqual([{ ref: { name: "DB", version: "2" }, as: "env" }]);
  bench.dials.secrets = {};
  expect((await bench.deploy(wanted)).error).toMatchObject({ code: "SECRET_MISSING", step: "plan" });
});

test("tasks run before the revision starts, with its environment, and their output is in the log", async () => {
  const wanted = manifest({ web: { tasks: { migrate: "MODE=fast migrate now", seed: "seed" } } });
  const deployment = await bench.deploy(wanted);
  expect(deployment.state).toBe("live");
  const verbs = bench.calls.filter(({ verb }) => verb === "run" || verb === "apply").map(({ plane, verb }) => `${plane}.${verb}`);
  expect(verbs).toEqual(["runtime.run", "runtime.run", "runtime.apply", "delivery.apply"]);
  const [run] = bench.calls.filter(({ verb }) => verb === "run");
  expect(run!.input).toMatchObject({ name: "migrate", command: ["migrate", "now"], spec: { env: { MODE: "fast" } } });
  const lines = await bench.deps.logs.tail(`deployment:${deployment.id}`, 10);
  expect(lines).toContainEqual(expect.objectContaining({ step: "task:web:migrate", text: "task migrate: migrate" }));
});

test("every decision is stored with the whole of its input, and no secret's value", async () => {
  bench.dials.secrets = { DB: { version: "1", value: "CANARY" } };
  const deployment = await bench.deploy(manifest({ web: { secrets: [{ name: "DB", as: "env" }] } }));
  const decisions = await bench.ledger.decisions(bench.scope, deployment.id);
  expect(decisions.map(({ inputDigest }) => inputDigest)).toEqual(decisions.map(({ input }) => digestOf(input)));
  expect(decisions[2]!.input).toMatchObject({
    point: "release",
    project: "shop",
    environment: "production",
    actor: { name: "test" },
    plugins: { memory: { version: "0.1.0", permissions: { net: [] } } },
    artifacts: { web: { kind: "static-site" } },
    history: { live: null, deployments: [{ id: deployment.id }] },
  });
  expect(JSON.stringify(decisions)).not.toContain("CANARY");
});

test("a refusal names the rules, and is stored; advice is kept with the release", async () => {
  const advice: Finding = {
    rule: "owner",
    level: "advisory",
    message: "no owner",
    path: "services.web",
    file: "helix.yaml",
    line: 1,
    fix: "name one",
  };
  bench.dials.decide = () => ({ allow: true, findings: [advice], bundle: "b1" });
  const first = await bench.deploy(manifest({ web: {} }));
  expect(await bench.ledger.release(bench.scope, first.release!)).toMatchObject({ policyBundle: "b1", findings: [advice] });
  bench.dials.decide = (point) => ({ allow: point !== "release", findings: [{ ...advice, level: "mandatory" }], bundle: "b2" });
  const second = await bench.deploy(manifest({ web: { env: { A: "1" } } }));
  expect(second.error).toMatchObject({ code: "POLICY_DENIED", step: "policy-release", findings: [{ rule: "owner" }] });
  const decisions = await bench.ledger.decisions(bench.scope, second.id);
  expect(decisions.map(({ point, decision }) => [point, decision.allow])).toEqual([
    ["plan", true],
    ["artifact", true],
    ["release", false],
  ]);
  expect(await bench.revisions()).toEqual(["web serving"]);
});

test("drift is mended by the next deploy", async () => {
  const wanted = manifest({ web: {} }, { rollback: { keep: 0, forMs: 0 } });
  await bench.deploy(wanted);
  const [lost] = await bench.ledger.listRevisions(bench.scope, {});
  await bench.deps.dispatcher.call({
    ...bench.calls.find(({ verb, plane }) => verb === "apply" && plane === "runtime")!,
    verb: "destroy",
    input: { prior: null, graceMs: 0 },
  });
  const second = await bench.deploy(wanted);
  expect(second.plan!.changes).toEqual([{ service: "web", action: "update", path: "state", from: "gone", to: "running" }]);
  const [now] = await bench.ledger.listRevisions(bench.scope, {});
  expect(now!.id).not.toBe(lost!.id);
  expect(await bench.running()).toEqual(["web running"]);
});

test("a chain that cannot fit is refused before anything is made", async () => {
  const deployment = await bench.deploy(manifest({ web: { needs: ["ghost"] } }));
  expect(deployment.error).toMatchObject({ code: "CHAIN_UNFIT", message: "services.web: it needs ghost, and there is no such service" });
  expect(await bench.revisions()).toEqual([]);
  expect(bench.calls).toEqual([]);
});

test("what a plan would do is computed without writing", async () => {
  const wanted = manifest({ web: { env: { A: "1" } } });
  const { entries } = await bench.snapshot({ "index.js": "1" });
  const first = await bench.engine.plan(bench.scope, { environment: "production", manifest: wanted, entries });
  expect(first.changes.map(({ action, path }) => [action, path])).toEqual([["create", ""]]);
  expect(await bench.ledger.listProjects(bench.scope)).toEqual([]);
  await bench.deploy(wanted, { files: { "index.js": "1" } });
  const second = await bench.engine.plan(bench.scope, { environment: "production", manifest: wanted, entries });
  expect(second).toMatchObject({ changes: [], findings: [], allow: true });
});

test("a step that is written down together with the next keeps its own time", async () => {
  bench.dials.decide = (point) => {
    if (point === "plan") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
    return { allow: true, findings: [], bundle: "none" };
  };
  const { id } = await bench.deploy(manifest({ web: {} }));
  const steps = await bench.ledger.steps(bench.scope, id);
  const { startedAt, endedAt } = steps.find(({ kind }) => kind === "policy-plan")!;
  expect(Date.parse(endedAt!) - Date.parse(startedAt)).toBeGreaterThanOrEqual(55);
});

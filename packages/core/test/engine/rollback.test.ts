import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { PluginError } from "@helixstack/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
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

const version = (n: number, keep = 1) => manifest({ web: { env: { V: String(n) } }, site: {} }, { rollback: { keep, forMs: 60_000 } });
const serving = async () => (await bench.ledger.listRevisions(bench.scope, { states: ["serving"] })).map(({ id }) => id);

test("a warm revision is thawed: nothing is built, and the release is the old one", async () => {
  const first = await bench.deploy(version(1));
  const before = await serving();
  await bench.deploy(version(2));
  const builds = bench.calls.filter(({ verb }) => verb === "build").length;
  const back = await bench.rollback(first.release!);
  expect(back).toMatchObject({ state: "live", release: first.release, noChange: false, error: null });
  expect((await bench.environment()).liveRelease).toBe(first.release);
  expect(await serving()).toEqual(before);
  expect(await bench.running()).toEqual(["site running", "web frozen", "web running"]);
  expect(bench.calls.filter(({ verb }) => verb === "build")).toHaveLength(builds);
  expect((await bench.ledger.decisions(bench.scope, back.id)).map(({ point }) => point)).toEqual(["plan", "artifact", "release"]);
  const [table] = Object.values((await bench.world()).tables);
  expect(new Set(table!.table.routes.flatMap(({ targets }) => targets.map(({ release }) => release)))).toEqual(new Set([first.release]));
});

test("and forward again", async () => {
  const first = await bench.deploy(version(1));
  const second = await bench.deploy(version(2));
  await bench.rollback(first.release!);
  const forward = await bench.rollback(second.release!);
  expect(forward).toMatchObject({ state: "live", release: second.release });
  expect(await bench.revisions()).toEqual(["site serving", "web serving", "web warm"]);
});

test("a cold one is made again from the release's artifact", async () => {
  const first = await bench.deploy(version(1, 0));
  const before = await serving();
  await bench.deploy(version(2, 0));
  expect(await bench.revisions()).toEqual(["site serving", "web serving"]);
  const back = await bench.rollback(first.release!);
  expect(back).toMatchObject({ state: "live", release: first.release });
  const now = await serving();
  expect(now.filter((id) => before.includes(id))).toHaveLength(1);
  const web = Object.values((await bench.world()).revisions).find(({ identity }) => identity.names.service === "web");
  expect(web!.spec.env["V"]).toBe("1");
  expect((await bench.rollback(first.release!)).noChange).toBe(true);
});

test("a release whose artifact is gone cannot be returned to", async () => {
  const first = await bench.deploy(version(1, 0), { files: { "index.js": "one" } });
  await bench.deploy(version(2, 0), { files: { "index.js": "two" } });
  const { artifact } = (await bench.ledger.release(bench.scope, first.release!))!.services["web"]!;
  await rm(dirname(fileURLToPath(artifact.uri)), { recursive: true });
  const back = await bench.rollback(first.release!);
  expect(back.error).toMatchObject({ code: "ARTIFACT_GONE", step: "plan" });
  expect(await bench.engine.candidates(bench.scope, { project: "shop", environment: "production" })).toEqual([]);
  expect(await bench.revisions()).toEqual(["site serving", "web serving"]);
});

test("tasks are not run again by a rollback", async () => {
  const first = await bench.deploy(manifest({ web: { tasks: { migrate: "migrate" } } }));
  await bench.deploy(manifest({ web: { tasks: { migrate: "migrate" }, env: { A: "1" } } }));
  await bench.rollback(first.release!);
  expect(bench.calls.filter(({ verb }) => verb === "run")).toHaveLength(2);
});

test("a rollback that fails leaves the old revision as it was: to be thawed by the next", async () => {
  const first = await bench.deploy(version(1));
  const second = await bench.deploy(version(2));
  bench.dials.onCall = ({ verb, plane, operationId }) => {
    if (plane === "delivery" && verb === "apply" && !operationId.includes("undo")) throw new PluginError("FORBIDDEN", "no");
  };
  const failed = await bench.rollback(first.release!);
  expect(failed).toMatchObject({ state: "failed", error: { code: "FORBIDDEN" } });
  expect((await bench.environment()).liveRelease).toBe(second.release);
  expect(await bench.running()).toEqual(["site running", "web frozen", "web running"]);
  bench.dials.onCall = () => {};
  expect((await bench.rollback(first.release!)).state).toBe("live");
});

test("candidates are the former releases, newest first, with what will differ", async () => {
  const [first, second] = [await bench.deploy(version(1)), await bench.deploy(version(2))];
  await bench.deploy(version(3));
  const found = await bench.engine.candidates(bench.scope, { project: "shop", environment: "production" });
  expect(found.map(({ release, number, warm }) => ({ release, number, warm }))).toEqual([
    { release: second.release, number: 2, warm: true },
    { release: first.release, number: 1, warm: false },
  ]);
  expect(found[1]!.changes).toEqual([{ service: "web", action: "update", path: "env.V", from: "3", to: "1" }]);
});

test("a policy may refuse a rollback", async () => {
  const first = await bench.deploy(version(1));
  const second = await bench.deploy(version(2));
  bench.dials.decide = (_, { deployment }) => ({ allow: (deployment as { kind: string }).kind !== "rollback", findings: [], bundle: "b" });
  expect((await bench.rollback(first.release!)).error).toMatchObject({ code: "POLICY_DENIED" });
  expect((await bench.environment()).liveRelease).toBe(second.release);
});

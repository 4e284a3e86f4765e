import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from "vitest";
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
    ["plan", "policy-plan", "build:site", "build:web", "policy-artifact", "apply:site", "apply:web", "verify:site", "verify:web", "policy-release", "route:memory", "release"].map((id) => `${id} done`),
  );
  const decisions = await bench.ledger.decisions(bench.scope, deployment.id);
  expect(decisions.map(({ point }) => point)).toEqual(["plan", "artifact", "release"]);
});

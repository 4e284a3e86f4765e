import { type Digest, PluginError } from "@helixstack/sdk";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { dropUnused } from "../../src/engine/drop-unused.ts";
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

const NOW = { olderThanMs: 0 };
const files = (text: string) => ({ "index.js": text });
const shop = () => manifest({ web: {} });
const failAt = (verb: string) => {
  bench.dials.onCall = (call) => {
    if (call.verb === verb) throw new PluginError("START_FAILED", "no");
  };
};

/** Which of these deployments' sources and artifacts are there: `1s 1a`. */
async function there(deployments: Readonly<Record<string, string>>): Promise<string> {
  const { ledger, deps, scope } = bench;
  const found = await Promise.all(
    Object.entries(deployments).map(async ([name, id]) => {
      const { request, plan } = (await ledger.deployment(scope, id))!;
      const isSource = (await deps.sources.getSnapshot(request.snapshot as Digest)) !== null;
      const build = plan ? await ledger.findBuild(scope, plan.services[0]!.build.inputKey) : null;
      return [isSource ? `${name}s` : "", build && (await deps.artifacts.has(build.artifact)) ? `${name}a` : ""];
    }),
  );
  return found.flat().filter(Boolean).join(" ");
}

test("goes what a failed deployment left; what was released, what lives and what is asked for stays", async () => {
  const one = await bench.deploy(shop(), { files: files("one") });
  const two = await bench.deploy(shop(), { files: files("two") });
  failAt("apply");
  const failed = await bench.deploy(shop(), { files: files("three") });
  expect(failed.state).toBe("failed");
  bench.dials.onCall = () => {};
  const { digest } = await bench.snapshot(files("four"));
  const queued = await bench.ask({ manifest: shop(), snapshot: digest });
  const deployments = { 1: one.id, 2: two.id, 3: failed.id, 4: queued.id };
  expect(await there(deployments)).toBe("1s 1a 2s 2a 3s 3a 4s");
  const { freedBytes } = await dropUnused(bench.deps, bench.scope, NOW);
  expect(freedBytes).toBeGreaterThan(0);
  expect(await there(deployments)).toBe("1s 1a 2s 2a 4s");
  await bench.work();
  expect(await bench.ledger.deployment(bench.scope, queued.id)).toMatchObject({ state: "live" });
  expect(await bench.rollback(one.release!)).toMatchObject({ state: "live", release: one.release });
  // What was dropped is built again.
  expect(await bench.deploy(shop(), { files: files("three") })).toMatchObject({ state: "live" });
});

test("stays what a deployment builds on just now, whatever it has got to", async () => {
  await bench.deploy(shop(), { files: files("one") });
  const atWork: string[] = [];
  bench.dials.onCall = async ({ verb }) => {
    if (verb !== "apply") return;
    await dropUnused(bench.deps, bench.scope, NOW);
    const { activeDeployment } = await bench.environment();
    atWork.push(await there({ 2: activeDeployment! }));
  };
  expect(await bench.deploy(shop(), { files: files("two") })).toMatchObject({ state: "live" });
  expect(new Set(atWork)).toEqual(new Set(["2s 2a"]));
});

test("nothing goes that is younger, and nothing at all where everything is in use", async () => {
  await bench.deploy(shop(), { files: files("one") });
  expect(await dropUnused(bench.deps, bench.scope, NOW)).toEqual({ freedBytes: 0 });
  failAt("apply");
  const failed = await bench.deploy(shop(), { files: files("two") });
  expect(await dropUnused(bench.deps, bench.scope, { olderThanMs: 60_000 })).toEqual({ freedBytes: 0 });
  expect(await there({ 2: failed.id })).toBe("2s 2a");
});

test("after a restore what was made between the backup and it stays", async () => {
  failAt("apply");
  const failed = await bench.deploy(shop(), { files: files("one") });
  const known = await bench.ledger.installation();
  const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
  const restored = (restoredFrom: string, restoredAt: string | null) => {
    const installation = async () => ({ ...known, restoredFrom, restoredAt });
    return { ...bench.deps, ledger: { ...bench.ledger, installation } };
  };
  expect(await dropUnused(restored(ago(60_000), ago(-1_000)), bench.scope, NOW)).toEqual({ freedBytes: 0 });
  expect(await dropUnused(restored(ago(60_000), null), bench.scope, NOW)).toEqual({ freedBytes: 0 });
  expect(await there({ 1: failed.id })).toBe("1s 1a");
  const { freedBytes } = await dropUnused(restored(ago(120_000), ago(60_000)), bench.scope, NOW);
  expect(freedBytes).toBeGreaterThan(0);
});

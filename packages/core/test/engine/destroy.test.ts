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

const volumes = { data: { path: "/data", writers: "many" } } as const;
const shop = (v: string) => manifest({ web: { volumes, env: { V: v } }, site: {} });
const names = { project: "shop", environment: "production" };

test("removes every revision, warm ones too, and the table; volumes stay", async () => {
  await bench.deploy(shop("1"));
  await bench.deploy(shop("2"));
  expect(await bench.revisions()).toContain("web warm");
  const destroyed = await bench.destroy();
  expect(destroyed).toMatchObject({ state: "live", release: null, error: null });
  const { revisions, tables, volumes: left } = await bench.world();
  expect([revisions, tables]).toEqual([{}, {}]);
  expect(Object.keys(left)).toHaveLength(1);
  expect((await bench.environment()).liveRelease).toBeNull();
  expect((await bench.engine.status(bench.scope, names)).services).toEqual([]);
});

test("a deploy after it finds the data again", async () => {
  await bench.deploy(shop("1"));
  const [before] = await bench.ledger.volumes(bench.scope, {});
  await bench.destroy();
  expect((await bench.deploy(shop("1"))).state).toBe("live");
  expect(await bench.ledger.volumes(bench.scope, {})).toEqual([before]);
});

test("with the data it removes volumes too, also later", async () => {
  await bench.deploy(shop("1"));
  await bench.destroy();
  const destroyed = await bench.destroy({ withData: true });
  expect(destroyed.state).toBe("live");
  expect((await bench.world()).volumes).toEqual({});
  expect((await bench.ledger.volumes(bench.scope, {})).map(({ state }) => state)).toEqual(["gone"]);
});

test("the source of a deployment that waits behind it stays", async () => {
  await bench.deploy(shop("1"), { files: { "index.js": "same" } });
  const { digest } = await bench.snapshot({ "index.js": "same" });
  const next = { id: "" };
  bench.dials.onCall = async ({ verb }) => {
    if (verb === "destroy" && next.id === "") ({ id: next.id } = await bench.ask({ manifest: shop("2"), snapshot: digest }));
  };
  await bench.destroy();
  await bench.work();
  expect(await bench.ledger.deployment(bench.scope, next.id)).toMatchObject({ state: "live", error: null });
});

test("one that fails says where, and the next finishes it", async () => {
  await bench.deploy(shop("1"));
  bench.dials.onCall = ({ verb, identity }) => {
    if (verb === "destroy" && identity.names.service === "web") throw new PluginError("FORBIDDEN", "stuck");
  };
  const failed = await bench.destroy();
  expect(failed).toMatchObject({ state: "failed", error: { code: "FORBIDDEN" } });
  bench.dials.onCall = () => {};
  expect((await bench.destroy()).state).toBe("live");
  expect((await bench.world()).revisions).toEqual({});
});

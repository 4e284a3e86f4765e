import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type LogLine, type RevisionSpec, type RouteTable, specDigest } from "@helixstack/sdk";
import { type TestContext, createTestContext, testIdentity } from "@helixstack/sdk/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import memory from "../src/index.ts";

const { build, runtime, delivery } = memory.planes as Required<typeof memory.planes>;

const spec: RevisionSpec = {
  artifact: { kind: "static-site", digest: "sha256:00", uri: "file:///tmp", metadata: { fallback: null } },
  command: null,
  env: {},
  secrets: [],
  volumes: [],
  filesystem: "writable",
  replicas: 2,
  resources: { memoryBytes: null, cpu: null },
  graceMs: 1_000,
  options: {},
};
const prior = null;

let ctx: TestContext<any>;
beforeEach(() => (ctx = createTestContext()));
afterEach(() => ctx.cleanup());

const another = (revision: string, more = {}) => ctx.next({ identity: testIdentity({ revision }), ...more });

describe("build", () => {
  test("copies the source into a bundle where there is a start command, else into a site", async () => {
    const [source, output] = [join(ctx.workdir, "in"), join(ctx.workdir, "out")];
    await mkdir(source);
    await mkdir(output);
    await writeFile(join(source, "server.js"), "1");
    const input = { source, output, spec: {}, platform: "linux/amd64", secrets: [], labels: {} };
    const bundle = { kind: "node-bundle", metadata: { start: ["node", "server.js"], env: {}, node: null }, image: null };
    expect(await build.build(ctx, { ...input, start: "node server.js" })).toEqual(bundle);
    expect(await readFile(join(output, "server.js"), "utf8")).toBe("1");
    expect(await build.build(ctx, { ...input, start: null })).toMatchObject({ kind: "static-site" });
  });

  test("never offers itself", async () => {
    expect(await build.detect(ctx, { source: ctx.workdir })).toMatchObject({ fits: false, confidence: 0 });
  });
});

describe("runtime", () => {
  test("a revision is found again with nothing remembered, and only that one", async () => {
    expect(await runtime.observe(ctx, { prior })).toBeNull();
    const applied = await runtime.apply(ctx, { spec, prior });
    expect(applied).toMatchObject({ phase: "running", endpoints: [{ kind: "none" }, { kind: "none" }], specDigest: specDigest(spec) });
    expect(applied.instances).toHaveLength(2);
    expect(await runtime.observe(ctx, { prior })).toEqual(applied);
    expect(await runtime.observe(another("rev_2"), { prior })).toBeNull();
  });

  test("twice is as once", async () => {
    const first = await runtime.apply(ctx, { spec, prior });
    const world = await readFile(join(ctx.home, "world.json"), "utf8");
    expect(await runtime.apply(ctx, { spec, prior })).toEqual(first);
    expect(await readFile(join(ctx.home, "world.json"), "utf8")).toBe(world);
    await runtime.destroy(ctx, { prior, graceMs: 0 });
    await runtime.destroy(ctx, { prior, graceMs: 0 });
    expect(await runtime.observe(ctx, { prior })).toBeNull();
  });

  test("plan says what apply would do, and nothing once it is done", async () => {
    expect(runtime.plan({ spec, observed: null })).toMatchObject([{ action: "create" }]);
    const observed = await runtime.apply(ctx, { spec, prior });
    expect(runtime.plan({ spec, observed })).toEqual([]);
    expect(runtime.plan({ spec: { ...spec, env: { A: "1" } }, observed })).toMatchObject([{ action: "update" }]);
    const frozen = await runtime.suspend!(ctx, { prior, how: "freeze", graceMs: 0 });
    expect(runtime.plan({ spec, observed: frozen })).toMatchObject([{ action: "update" }]);
  });

  test("is suspended and brought back", async () => {
    await expect(runtime.suspend!(ctx, { prior, how: "stop", graceMs: 0 })).rejects.toMatchObject({ code: "NOT_FOUND" });
    await runtime.apply(ctx, { spec, prior });
    expect(await runtime.suspend!(ctx, { prior, how: "freeze", graceMs: 0 })).toMatchObject({ phase: "frozen", endpoints: [] });
    expect(await runtime.suspend!(ctx, { prior, how: "stop", graceMs: 0 })).toMatchObject({ phase: "stopped" });
    expect(await runtime.apply(ctx, { spec, prior })).toMatchObject({ phase: "running" });
  });

  test("claims the address that its options name", async () => {
    const options = { endpoint: { host: "127.0.0.1", port: 8080 } };
    const { endpoints } = await runtime.apply(ctx, { spec: { ...spec, replicas: 1, options }, prior });
    expect(endpoints).toEqual([{ kind: "http", host: "127.0.0.1", port: 8080 }]);
  });

  test("refuses an overtaken owner, also after the thing is gone", async () => {
    const newer = ctx.next({ fence: 5 });
    await runtime.apply(newer, { spec, prior });
    await expect(runtime.apply(ctx, { spec: { ...spec, replicas: 9 }, prior })).rejects.toMatchObject({ code: "STALE_FENCE" });
    await runtime.destroy(newer, { prior, graceMs: 0 });
    await expect(runtime.apply(ctx, { spec, prior })).rejects.toMatchObject({ code: "STALE_FENCE" });
    expect(await runtime.observe(ctx, { prior })).toBeNull();
  });

  test("many changes at once are all kept", async () => {
    const ids = Array.from({ length: 30 }, (_, i) => `rev_${i}`);
    await Promise.all(ids.map((id) => runtime.apply(another(id), { spec, prior })));
    const listed = await runtime.list(ctx, { installation: "ins_test" });
    expect(listed.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(await readdir(ctx.home)).toEqual(["world.json"]);
  });

  test("a lock that a killed process left behind is taken over", async () => {
    await writeFile(join(ctx.home, "world.lock"), "999999999");
    expect(await runtime.apply(ctx, { spec, prior })).toMatchObject({ phase: "running" });
  });

  test("list shows what carries the installation's tag", async () => {
    await runtime.apply(ctx, { spec, prior });
    await runtime.ensureVolume!(ctx, { name: "data" });
    const listed = await runtime.list(ctx, { installation: "ins_test" });
    expect(listed.map(({ kind }) => kind)).toEqual(["revision", "volume"]);
    expect(await runtime.list(ctx, { installation: "ins_other" })).toEqual([]);
  });

  test("logs resume after a cursor, show a tail, and follow until the signal", async () => {
    await runtime.apply(ctx, { spec, prior });
    await runtime.suspend!(ctx, { prior, how: "freeze", graceMs: 0 });
    const read = async (input: object) => {
      const texts: string[] = [];
      for await (const line of runtime.logs!(ctx, { prior, follow: false, tail: null, after: null, ...input }) as AsyncIterable<LogLine>) {
        texts.push(line.text);
      }
      return texts;
    };
    expect(await read({})).toEqual(["running", "frozen"]);
    expect(await read({ tail: 1 })).toEqual(["frozen"]);
    expect(await read({ after: "1" })).toEqual(["frozen"]);
    const following = read({ follow: true });
    await runtime.apply(ctx, { spec, prior });
    setTimeout(() => ctx.abort(), 150);
    expect(await following).toEqual(["running", "frozen", "running"]);
  });

  test("run ends as it is told to", async () => {
    expect(await runtime.run!(ctx, { spec, name: "migrate", command: ["node", "migrate.js"] })).toEqual({
      exitCode: 0,
      logs: ["migrate ran"],
    });
    expect(await runtime.run!(ctx, { spec, name: "migrate", command: ["exit", "3"] })).toMatchObject({ exitCode: 3 });
    expect(ctx.lines.map(({ message }) => message)).toEqual(["task migrate: node", "task migrate: exit"]);
  });

  test("a volume keeps its data until it is destroyed", async () => {
    const handle = await runtime.ensureVolume!(ctx, { name: "data" });
    await writeFile(join(handle.id, "file"), "kept");
    expect(await runtime.ensureVolume!(ctx, { name: "data" })).toEqual(handle);
    await runtime.destroy(ctx, { prior, graceMs: 0 });
    expect(await readFile(join(handle.id, "file"), "utf8")).toBe("kept");
    await runtime.destroyVolume!(ctx, { handle });
    await runtime.destroyVolume!(ctx, { handle });
    await expect(readFile(join(handle.id, "file"))).rejects.toThrow("ENOENT");
    expect(await runtime.list(ctx, { installation: "ins_test" })).toEqual([]);
  });
});

describe("delivery", () => {
  const target = { revision: "rev_1", release: "rel_1", endpoint: { kind: "none" }, weight: 1 } as const;
  const table = (generation: number): RouteTable => ({
    generation,
    routes: [{ service: "web", hosts: ["web.localhost"], port: null, bind: [], targets: [target], holdMs: null }],
  });
  const routes = () => ctx.next({ identity: testIdentity({ revision: "unit_test" }) });

  test("a table is switched as a whole; its addresses stay", async () => {
    expect(await delivery.observe(routes(), { prior })).toBeNull();
    const first = await delivery.apply(routes(), { table: table(1), prior });
    expect(first).toMatchObject({ generation: 1, table: table(1), addresses: [{ service: "web", address: { host: "127.0.0.1" } }] });
    const second = await delivery.apply(routes(), { table: table(2), prior });
    expect(second.addresses).toEqual(first.addresses);
    expect(await delivery.observe(routes(), { prior })).toEqual(second);
    expect(await delivery.stats!(ctx)).toEqual([{ revision: "rev_1", release: "rel_1", requests: 0, failures: 0, inFlight: 0 }]);
  });

  test("a generation never goes back", async () => {
    await delivery.apply(routes(), { table: table(2), prior });
    await expect(delivery.apply(routes(), { table: table(1), prior })).rejects.toMatchObject({ code: "STALE_FENCE" });
    expect(await delivery.observe(routes(), { prior })).toMatchObject({ generation: 2 });
  });

  test("plan is empty for the same routes", async () => {
    expect(delivery.plan({ table: table(1), observed: null })).toMatchObject([{ action: "create" }]);
    const observed = await delivery.apply(routes(), { table: table(1), prior });
    expect(delivery.plan({ table: table(2), observed })).toEqual([]);
    expect(delivery.plan({ table: { generation: 2, routes: [] }, observed })).toMatchObject([{ action: "update" }]);
  });

  test("destroy leaves nothing, twice", async () => {
    await delivery.apply(routes(), { table: table(1), prior });
    expect(await delivery.list(ctx, { installation: "ins_test" })).toMatchObject([{ kind: "routes", id: "unit_test" }]);
    await delivery.destroy(routes(), { prior });
    await delivery.destroy(routes(), { prior });
    expect(await delivery.list(ctx, { installation: "ins_test" })).toEqual([]);
    expect(await delivery.drain!(ctx, { revisions: ["rev_1"], timeoutMs: 1 })).toEqual({ closed: 0, waitedMs: 0 });
  });
});

import { chmod, chown, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Endpoint, LogLine } from "@helixstack/sdk";
import { sharingUser } from "@helixstack/sdk/exec";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runtime } from "../src/runtime.ts";
import { engine, hasDocker, makeWorld, specOf, type World } from "./world.ts";

const server = `
  const http = require("node:http"), fs = require("node:fs");
  console.log("up as " + process.env.GREETING); console.error("and on stderr");
  process.on("SIGTERM", () => { console.log("asked to end"); process.exit(0); });
  http.createServer((req, res) => {
    if (req.url === "/crash") process.exit(3);
    if (req.url === "/write") { try { fs.writeFileSync("here", "x"); return res.end("written"); } catch (e) { return res.end(e.code); } }
    if (req.url === "/data") { fs.appendFileSync(process.env.DATA_DIR + "/log", "x"); return res.end(fs.readFileSync(process.env.DATA_DIR + "/log")); }
    res.end(JSON.stringify({ env: process.env, uid: process.getuid() }));
  }).listen(process.env.PORT);
`;

describe.skipIf(!hasDocker)("docker: runtime", () => {
  let world: World;
  let uri: string;

  beforeAll(async () => {
    world = await makeWorld();
    uri = await world.bundle({ "server.js": server, "package.json": "{}" });
  });
  afterAll(async () => world?.remove());

  const ask = async (endpoint: Endpoint | undefined, path = "/"): Promise<string> => {
    if (endpoint?.kind !== "http") throw new Error("no http endpoint");
    for (let attempt = 0; ; attempt++) {
      try {
        return await (await fetch(`http://${endpoint.host}:${endpoint.port}${path}`)).text();
      } catch (error) {
        if (attempt > 100) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };

  const crash = async (endpoint: Endpoint | undefined): Promise<void> => {
    await ask(endpoint);
    if (endpoint?.kind === "http") await fetch(`http://${endpoint.host}:${endpoint.port}/crash`).catch(() => undefined);
  };

  it("observes nothing where nothing is", async () => {
    expect(await runtime.observe(await world.context(), { prior: null })).toBeNull();
    await runtime.destroy(await world.context(), { prior: null, graceMs: 1000 });
  });

  it("applies, and applying twice is applying once", async () => {
    const spec = specOf(uri);
    const first = await runtime.apply(await world.context(), { spec, prior: null });
    expect(first).toMatchObject({
      phase: "running",
      instances: [{ phase: "running", restarts: 0, memoryBytes: expect.any(Number), cpuSeconds: expect.any(Number) }],
    });
    expect(JSON.parse(await ask(first.endpoints[0]))).toMatchObject({ env: { GREETING: "hello", PORT: "8080", TZ: "UTC" } });
    const [before] = await world.containers();
    const second = await runtime.apply(await world.context(), { spec, prior: first.state });
    expect(second.endpoints).toEqual(first.endpoints);
    expect((await world.containers()).map(({ Id }) => Id)).toEqual([before?.Id]);
    expect(runtime.plan({ spec, observed: second })).toEqual([]);
    expect(runtime.plan({ spec: { ...spec, env: {} }, observed: second })).toHaveLength(1);
  });

  it("names and labels its container, and takes its privileges away", async () => {
    const [container] = await world.containers();
    expect(container?.Names[0]).toBe("/helix-shop-production-web-rev_1-0");
    expect(container?.Labels).toMatchObject({
      "helix.installation": world.installation,
      "helix.project": "shop",
      "helix.service": "web",
      "helix.revision": "rev_1",
    });
    const { HostConfig } = await engine.getContainer(container?.Id ?? "").inspect();
    expect(HostConfig).toMatchObject({
      CapDrop: ["ALL"],
      Memory: 256 * 1024 * 1024,
      NanoCpus: 1e9,
      RestartPolicy: { Name: "unless-stopped" },
    });
    expect(HostConfig.SecurityOpt).toContain("no-new-privileges");
  });

  it("repairs what was removed behind its back", async () => {
    const [container] = await world.containers();
    await engine.getContainer(container?.Id ?? "").remove({ force: true });
    expect(await runtime.observe(await world.context(), { prior: null })).toBeNull();
    expect(await runtime.apply(await world.context(), { spec: specOf(uri), prior: null })).toMatchObject({ phase: "running" });
  });

  it("restarts an instance that crashes, at the same address", async () => {
    const before = await runtime.observe(await world.context(), { prior: null });
    await crash(before?.endpoints[0]);
    await expect
      .poll(async () => (await runtime.observe(await world.context(), { prior: null }))?.instances[0], { timeout: 10_000 })
      .toMatchObject({ phase: "running", restarts: 1, lastExit: { at: expect.any(String) } });
    expect(await ask(before?.endpoints[0])).toContain("GREETING");
  });

  it("freezes, thaws, stops and starts again", async () => {
    const context = await world.context();
    expect(await runtime.suspend?.(context, { prior: null, how: "freeze", graceMs: 1000 })).toMatchObject({ phase: "frozen" });
    expect(await runtime.apply(context, { spec: specOf(uri), prior: null })).toMatchObject({ phase: "running" });
    expect(await runtime.suspend?.(context, { prior: null, how: "stop", graceMs: 3000 })).toMatchObject({ phase: "stopped" });
    const again = await runtime.apply(context, { spec: specOf(uri), prior: null });
    expect(await ask(again.endpoints[0])).toContain("GREETING");
  });

  it("tells the log in order, from any cursor on, and follows it", async () => {
    const lines = await collect(runtime.logs!(await world.context(), { prior: null, follow: false, tail: null, after: null }));
    expect(lines.map(({ text }) => text)).toContain("up as hello");
    expect(lines.map(({ text }) => text)).toContain("asked to end");
    expect(lines.find(({ text }) => text === "and on stderr")?.stream).toBe("stderr");
    const rest = await collect(runtime.logs!(await world.context(), { prior: null, follow: false, tail: null, after: lines[1]!.cursor }));
    expect(rest.map(({ cursor }) => cursor)).toEqual(lines.slice(2).map(({ cursor }) => cursor));
    const stop = new AbortController();
    const followed: string[] = [];
    const following = (async () => {
      for await (const line of runtime.logs!(await world.context("rev_1", { signal: stop.signal }), {
        prior: null,
        follow: true,
        tail: 1,
        after: null,
      }))
        followed.push(line.text);
    })();
    const observed = await runtime.observe(await world.context(), { prior: null });
    await crash(observed?.endpoints[0]);
    await expect.poll(() => followed.filter((text) => text === "up as hello").length, { timeout: 10_000 }).toBeGreaterThan(0);
    stop.abort();
    await following;
  });

  it("keeps its folder writable or read-only as asked, and DATA_DIR always writable", async () => {
    const observed = await runtime.observe(await world.context(), { prior: null });
    expect(await ask(observed?.endpoints[0], "/write")).toBe("written");
    const closed = await runtime.apply(await world.context("rev_ro"), { spec: specOf(uri, { filesystem: "read-only" }), prior: null });
    expect(await ask(closed.endpoints[0], "/write")).toBe("EROFS");
    expect(await ask(closed.endpoints[0], "/data")).toBe("x");
    await runtime.destroy(await world.context("rev_ro"), { prior: null, graceMs: 1000 });
  });

  it.runIf(process.getuid!() === 0)("writes a volume with many writers as the user whom other runtimes take", async () => {
    const handle = await runtime.ensureVolume!(await world.context(), { name: "shared" });
    const context = await world.context("rev_shared");
    const { uid, gid } = sharingUser(context.identity);
    await writeFile(join(handle.id, "log"), "x");
    for (const path of [handle.id, join(handle.id, "log")]) await chown(path, uid, gid);
    await chmod(handle.id, 0o700);
    // As a store keeps it.
    await chmod(fileURLToPath(uri), 0o755);
    const volumes = [{ name: "shared", handle, path: "/data", writers: "many" as const }];
    const applied = await runtime.apply(context, { spec: specOf(uri, { volumes, filesystem: "read-only" }), prior: null });
    expect(JSON.parse(await ask(applied.endpoints[0]))).toMatchObject({ uid });
    expect(await ask(applied.endpoints[0], "/data")).toBe("xx");
    await runtime.destroy(context, { prior: null, graceMs: 0 });
    await runtime.destroyVolume!(await world.context(), { handle });
  });

  it("keeps a volume's data from revision to revision", async () => {
    const handle = await runtime.ensureVolume!(await world.context(), { name: "data" });
    const spec = specOf(uri, { volumes: [{ name: "data", handle, path: "/data", writers: "single" }] });
    for (const [revision, expected] of [
      ["rev_v1", "x"],
      ["rev_v2", "xx"],
    ] as const) {
      const applied = await runtime.apply(await world.context(revision), { spec, prior: null });
      expect(await ask(applied.endpoints[0], "/data")).toBe(expected);
      await runtime.destroy(await world.context(revision), { prior: null, graceMs: 1000 });
    }
    await runtime.destroyVolume!(await world.context(), { handle });
    await expect(runtime.destroyVolume!(await world.context(), { handle: { kind: "host-path", id: "/etc" } })).rejects.toMatchObject({
      code: "FOREIGN_RESOURCE",
    });
  });

  it("runs a task to its end and leaves no container", async () => {
    const input = {
      spec: specOf(uri),
      name: "migrate",
      command: ["node", "-e", "console.log('migrated in ' + process.cwd()); process.exit(4)"],
    };
    const result = await runtime.run!(await world.context("rev_task"), input);
    expect(result).toEqual({ exitCode: 4, logs: ["migrated in /app"] });
    expect((await world.containers()).filter(({ Labels }) => Labels["helix.revision"] === "rev_task")).toEqual([]);
  });

  it("ends a task that is cancelled", async () => {
    const stop = new AbortController();
    const task = runtime.run!(await world.context("rev_task2", { signal: stop.signal }), {
      spec: specOf(uri),
      name: "long",
      command: ["node", "-e", "setInterval(() => {}, 1000)"],
    });
    setTimeout(() => stop.abort(), 1500);
    await expect(task).rejects.toMatchObject({ code: "ABORTED" });
    expect((await world.containers()).filter(({ Labels }) => Labels["helix.revision"] === "rev_task2")).toEqual([]);
  });

  it("shows that a start command is not there", async () => {
    await runtime.apply(await world.context("rev_bad"), { spec: specOf(uri, { command: ["no-such-program"] }), prior: null });
    await expect
      .poll(async () => (await runtime.observe(await world.context("rev_bad"), { prior: null }))?.instances[0]?.lastExit, {
        timeout: 10_000,
      })
      .toMatchObject({ code: 127 });
    const lines = await collect(runtime.logs!(await world.context("rev_bad"), { prior: null, follow: false, tail: null, after: null }));
    expect(lines.map(({ text }) => text).join()).toContain("no-such-program");
    await runtime.destroy(await world.context("rev_bad"), { prior: null, graceMs: 1000 });
  });

  it("runs two instances at two addresses, and one again", async () => {
    const two = await runtime.apply(await world.context("rev_two"), { spec: specOf(uri, { replicas: 2 }), prior: null });
    expect(new Set(two.endpoints.map((endpoint) => JSON.stringify(endpoint))).size).toBe(2);
    const one = await runtime.apply(await world.context("rev_two"), { spec: specOf(uri), prior: null });
    expect(one.endpoints).toHaveLength(1);
    await runtime.destroy(await world.context("rev_two"), { prior: null, graceMs: 1000 });
  });

  it("serves a static site", async () => {
    const site = await world.bundle({ "index.html": "<h1>home</h1>" });
    const spec = specOf(site, {
      artifact: { kind: "static-site", digest: `sha256:${"1".repeat(64)}`, uri: site, metadata: { fallback: "index.html" } },
    });
    const applied = await runtime.apply(await world.context("rev_site"), { spec, prior: null });
    expect(await ask(applied.endpoints[0], "/any/page")).toBe("<h1>home</h1>");
    await runtime.destroy(await world.context("rev_site"), { prior: null, graceMs: 1000 });
  });

  it("lists what is there, and destroy leaves nothing: no container, no network", async () => {
    expect(
      (await runtime.list(await world.context(), { installation: world.installation })).map(({ identity }) => identity.revision),
    ).toEqual(["rev_1"]);
    await runtime.destroy(await world.context(), { prior: null, graceMs: 1000 });
    expect(await runtime.list(await world.context(), { installation: world.installation })).toEqual([]);
    expect(await world.containers()).toEqual([]);
    expect(await world.networks()).toEqual([]);
  });

  it("says that the engine is not there", async () => {
    const context = await world.context();
    const nowhere = { ...context, config: { ...context.config, socket: "/nowhere/docker.sock" } };
    await expect(runtime.observe(nowhere, { prior: null })).rejects.toMatchObject({ code: "UNAVAILABLE", retryable: true });
  });
});

async function collect(lines: AsyncIterable<LogLine>): Promise<LogLine[]> {
  const all: LogLine[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

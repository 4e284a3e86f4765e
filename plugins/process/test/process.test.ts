import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Endpoint, type LogLine, type ObservedRevision, specDigest } from "@helixstack/sdk";
import { sharingUser } from "@helixstack/sdk/exec";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { memoryFolder } from "../src/secrets.ts";
import { runtime } from "../src/runtime.ts";
import { uidOf } from "../src/user.ts";
import { get, makeWorld, SERVER, specOf, until, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await makeWorld();
});
afterEach(() => world.close());

const PRIOR = { prior: null };
const isRoot = process.getuid!() === 0;

function portsOf({ endpoints }: Pick<ObservedRevision, "endpoints">): number[] {
  return endpoints.map((endpoint) => (endpoint as Extract<Endpoint, { kind: "http" }>).port);
}

async function pids(): Promise<number[]> {
  const client = await world.supervisor();
  const units = await client.list();
  client.close();
  return units.flatMap(({ pid }) => pid ?? []);
}

async function linesOf(lines: AsyncIterable<LogLine>): Promise<LogLine[]> {
  const all: LogLine[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

describe("apply, observe, plan", () => {
  it("runs a bundle, finds it without state, and plans nothing afterwards", async () => {
    const spec = specOf(world.bundle({ "server.cjs": SERVER }), { replicas: 2 });
    expect(await runtime.observe(world.ctx(), PRIOR)).toBeNull();
    expect(runtime.plan({ spec, observed: null })).toMatchObject([{ action: "create" }]);
    const applied = await runtime.apply(world.ctx(), { spec, ...PRIOR });
    const observed = await runtime.observe(world.ctx(), PRIOR);
    expect(observed).toMatchObject({
      phase: "running",
      specDigest: specDigest(spec),
      instances: [{ phase: "running", restarts: 0 }, { phase: "running" }],
    });
    expect(observed!.endpoints).toEqual(applied.endpoints);
    expect(new Set(portsOf(observed!)).size).toBe(2);
    expect(runtime.plan({ spec, observed })).toEqual([]);
    expect(observed!.instances[0]!.memoryBytes).toBeGreaterThan(1e6);
    for (const port of portsOf(observed!)) expect(await get(port)).toContain("PORT");
  });

  it("finds it under another name of its project too", async () => {
    const spec = specOf(world.bundle({ "server.cjs": SERVER }));
    await runtime.apply(world.ctx(), { spec, ...PRIOR });
    const before = await pids();
    const { identity } = world.ctx();
    const renamed = world.ctx({ identity: { ...identity, names: { ...identity.names, project: "renamed" } } });
    expect((await runtime.apply(renamed, { spec, ...PRIOR })).phase).toBe("running");
    expect(await pids()).toEqual(before);
  });

  it("applied twice is applied once", async () => {
    const spec = specOf(world.bundle({ "server.cjs": SERVER }));
    const first = await runtime.apply(world.ctx(), { spec, ...PRIOR });
    const before = await pids();
    const second = await runtime.apply(world.ctx(), { spec, ...PRIOR });
    expect(await pids()).toEqual(before);
    expect(second.endpoints).toEqual(first.endpoints);
    await Promise.all([runtime.apply(world.ctx(), { spec, ...PRIOR }), runtime.apply(world.ctx(), { spec, ...PRIOR })]);
    expect(await pids()).toEqual(before);
  });

  it("repairs what vanished, was killed, frozen or stopped", async () => {
    const spec = specOf(world.bundle({ "server.cjs": SERVER }));
    const [port] = portsOf(await runtime.apply(world.ctx(), { spec, ...PRIOR }));
    const supervisor = await world.supervisor();
    const name = (await supervisor.list())[0]!.name;
    const damages = [
      () => supervisor.remove(name, { graceMs: 0 }),
      () => supervisor.stop(name, { graceMs: 0 }),
      () => supervisor.freeze(name),
      async () => process.kill((await pids())[0]!, "SIGKILL"),
      async () => process.kill(-(await pids())[0]!, "SIGSTOP"),
      async () => rmSync(join(world.ctx().home, "revisions/rev_01/0/app"), { recursive: true }),
    ];
    for (const damage of damages) {
      await damage();
      const repaired = await runtime.apply(world.ctx(), { spec, ...PRIOR });
      expect(repaired.phase).toBe("running");
      expect(runtime.plan({ spec, observed: repaired })).toEqual([]);
      expect(await get(portsOf(repaired)[0]!)).toContain("PORT");
    }
    expect(port).toBeGreaterThan(0);
    supervisor.close();
  });

  it("follows a change of the number of instances", async () => {
    const artifact = world.bundle({ "server.cjs": SERVER });
    await runtime.apply(world.ctx(), { spec: specOf(artifact, { replicas: 3 }), ...PRIOR });
    const two = specOf(artifact, { replicas: 2 });
    expect(runtime.plan({ spec: two, observed: await runtime.observe(world.ctx(), PRIOR) })).toHaveLength(1);
    const observed = await runtime.apply(world.ctx(), { spec: two, ...PRIOR });
    expect(observed.instances).toHaveLength(2);
    expect(runtime.plan({ spec: two, observed })).toEqual([]);
  });

  it("shows a crash by restarts and the last exit, and comes back on the same port", async () => {
    const spec = specOf(world.bundle({ "server.cjs": SERVER }));
    const applied = await runtime.apply(world.ctx(), { spec, ...PRIOR });
    const [port] = portsOf(applied);
    await get(port!);
    await fetch(`http://127.0.0.1:${port}/crash`).catch(() => undefined);
    const observed = await until(async () => {
      const now = await runtime.observe(world.ctx(), PRIOR);
      return now!.instances[0]!.restarts === 1 && now!.phase === "running" && now;
    });
    expect(observed.instances[0]!.lastExit).toMatchObject({ code: 9 });
    expect(portsOf(observed)).toEqual([port]);
  });

  it("fails at once with the reason when the command is not there", async () => {
    const spec = specOf(world.bundle({ "server.cjs": SERVER }), { command: ["no-such-program"] });
    await expect(runtime.apply(world.ctx(), { spec, ...PRIOR })).rejects.toMatchObject({
      code: "START_FAILED",
      message: expect.stringContaining("no-such-program"),
    });
  });

  it("refuses other artifacts, other volumes, missing artifacts and stale fences", async () => {
    const artifact = world.bundle({ "server.cjs": SERVER });
    const image = {
      kind: "oci-image",
      digest: artifact.digest,
      uri: "docker-image:x",
      metadata: { user: "", sizeBytes: 1, base: [] },
    } as const;
    await expect(runtime.apply(world.ctx(), { spec: specOf(image), ...PRIOR })).rejects.toMatchObject({ code: "INVALID_SPEC" });
    const volumes = [{ name: "data", handle: { kind: "cloud-disk", id: "x" }, path: "/data", writers: "single" as const }];
    await expect(runtime.apply(world.ctx(), { spec: specOf(artifact, { volumes }), ...PRIOR })).rejects.toMatchObject({
      code: "INVALID_SPEC",
    });
    await expect(runtime.apply(world.ctx(), { spec: specOf({ ...artifact, uri: "file:///no/such" }), ...PRIOR })).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
    await runtime.apply(world.ctx({ fence: 5 }), { spec: specOf(artifact), ...PRIOR });
    await expect(runtime.apply(world.ctx({ fence: 4 }), { spec: specOf(artifact), ...PRIOR })).rejects.toMatchObject({
      code: "STALE_FENCE",
    });
    await expect(runtime.destroy(world.ctx({ fence: 4 }), { ...PRIOR, graceMs: 0 })).rejects.toMatchObject({ code: "STALE_FENCE" });
  });
});

describe("the surroundings of an application", () => {
  it("are its own: environment, work folder, data folder", async () => {
    const artifact = world.bundle({ "server.cjs": SERVER }, { env: { NODE_ENV: "production" } });
    process.env["CONTROL_PLANE_ONLY"] = "x";
    const observed = await runtime.apply(world.ctx(), {
      spec: specOf(artifact, { env: { GREETING: "hello", TZ: "Europe/Berlin" } }),
      ...PRIOR,
    });
    const { env, cwd } = JSON.parse(await get(portsOf(observed)[0]!)) as { env: Record<string, string>; cwd: string };
    expect(Object.keys(env).sort()).toEqual([
      "DATA_DIR",
      "GREETING",
      "HELIX_UNIT",
      "HOME",
      "LANG",
      "NODE_ENV",
      "PATH",
      "PORT",
      "TMPDIR",
      "TZ",
    ]);
    expect(env).toMatchObject({
      GREETING: "hello",
      NODE_ENV: "production",
      TZ: "Europe/Berlin",
      HOME: cwd,
      PORT: String(portsOf(observed)[0]),
    });
    expect(env["PATH"]!.split(":").slice(0, 2)).toEqual([join(cwd, "node_modules/.bin"), join(process.execPath, "..")]);
    expect(await get(portsOf(observed)[0]!, "/write")).toBe("ok");
    expect(existsSync(join(new URL(artifact.uri).pathname, "written"))).toBe(false);
    expect(await get(portsOf(observed)[0]!, "/data")).toBe("kept");
    for (const folder of [env["TMPDIR"]!, env["DATA_DIR"]!]) expect(statSync(folder).isDirectory()).toBe(true);
  });

  it("has volumes that outlive it", async () => {
    const volume = world.ctx({ identity: { ...world.ctx().identity, unit: "vol_1", revision: "vol_1" } });
    const handle = await runtime.ensureVolume!(volume, { name: "data" });
    const other = await runtime.ensureVolume!(world.ctx({ identity: { ...volume.identity, unit: "vol_2" } }), { name: "more-data" });
    const volumes = [
      { name: "data", handle, path: "/data", writers: "single" as const },
      { name: "more-data", handle: other, path: "/more", writers: "many" as const },
    ];
    const spec = specOf(world.bundle({ "server.cjs": SERVER }), { volumes });
    const [port] = portsOf(await runtime.apply(world.ctx(), { spec, ...PRIOR }));
    expect(await get(port!, "/data")).toBe("kept");
    expect(JSON.parse(await get(port!)).env).toMatchObject({
      DATA_DIR: handle.id,
      HELIX_VOLUME_DATA: handle.id,
      HELIX_VOLUME_MORE_DATA: other.id,
    });
    await runtime.destroy(world.ctx(), { ...PRIOR, graceMs: 1000 });
    expect(readdirSync(handle.id)).toEqual(["kept"]);
    expect((await runtime.list(world.ctx(), { installation: "ins_1" })).map(({ kind }) => kind)).toEqual(["volume", "volume"]);
    await expect(runtime.destroyVolume!(volume, { handle: { kind: "host-path", id: "/etc" } })).rejects.toMatchObject({
      code: "FOREIGN_RESOURCE",
    });
    await runtime.destroyVolume!(volume, { handle });
    await runtime.destroyVolume!(volume, { handle });
    expect(existsSync(handle.id)).toBe(false);
  });

  it("holds secrets as variables and as files, and writes them nowhere else", async () => {
    const secrets = [
      { ref: { name: "API_KEY", version: "1" }, as: "env" as const },
      { ref: { name: "CERT", version: "1" }, as: "file" as const },
    ];
    const ctx = world.ctx({ secrets: { API_KEY: "key-123", CERT: "cert-456" } });
    const spec = specOf(world.bundle({ "server.cjs": SERVER }), { secrets });
    const observed = await runtime.apply(ctx, { spec, ...PRIOR });
    const { env } = JSON.parse(await get(portsOf(observed)[0]!)) as { env: Record<string, string> };
    expect(env["API_KEY"]).toBe("key-123");
    expect(env["CERT"]).toBeUndefined();
    expect(readFileSync(join(env["SECRETS_DIR"]!, "CERT"), "utf8")).toBe("cert-456");
    expect(statSync(env["SECRETS_DIR"]!).mode & 0o777).toBe(0o700);
    expect(JSON.stringify(observed)).not.toContain("key-123");
    expect(world.logged.join()).not.toContain("key-123");
    await runtime.destroy(ctx, { ...PRIOR, graceMs: 1000 });
    expect(existsSync(memoryFolder(ctx.config))).toBe(false);
  });

  it("gets no secrets in a folder that somebody else has made ready", async () => {
    const ctx = world.ctx({ secrets: { CERT: "cert-456" } });
    mkdirSync(memoryFolder(ctx.config));
    chmodSync(memoryFolder(ctx.config), 0o777);
    const spec = specOf(world.bundle({ "server.cjs": SERVER }), { secrets: [{ ref: { name: "CERT", version: "1" }, as: "file" }] });
    await expect(runtime.apply(ctx, { spec, ...PRIOR })).rejects.toMatchObject({ code: "FOREIGN_RESOURCE" });
    expect(readdirSync(memoryFolder(ctx.config))).toEqual([]);
  });

  it("is not started without its secret files, and is when they are there again", async () => {
    const ctx = world.ctx({ secrets: { CERT: "cert-456" } });
    const spec = specOf(world.bundle({ "server.cjs": SERVER }), { secrets: [{ ref: { name: "CERT", version: "1" }, as: "file" }] });
    await runtime.apply(ctx, { spec, ...PRIOR });
    rmSync(memoryFolder(ctx.config), { recursive: true });
    process.kill((await pids())[0]!, "SIGKILL");
    await until(async () => (await runtime.observe(ctx, PRIOR))!.instances[0]!.phase === "backing-off");
    expect((await runtime.apply(ctx, { spec, ...PRIOR })).phase).toBe("running");
  });

  it("cannot write its work folder when it is read-only, but its data folder", async () => {
    const spec = specOf(world.bundle({ "server.cjs": SERVER }), { filesystem: "read-only" });
    const [port] = portsOf(await runtime.apply(world.ctx(), { spec, ...PRIOR }));
    expect(await get(port!, "/write")).toBe("EROFS");
    expect(await get(port!, "/data")).toBe("kept");
    expect(await get(port!, "/uid")).toBe(String(isRoot ? uidOf(world.ctx().identity) : process.getuid!()));
    await runtime.destroy(world.ctx(), { ...PRIOR, graceMs: 1000 });
    expect(existsSync(join(world.ctx().home, "revisions/rev_01"))).toBe(false);
  });

  it("has no say in what makes its folder read-only, and finds its environment as it was given", async () => {
    const trap = join(world.home, "trap");
    const trapped = join(world.home, "trapped");
    mkdirSync(trap);
    for (const name of ["unshare", "mount", "setpriv", "sh", "test"])
      writeFileSync(join(trap, name), `#!/bin/sh\nid -u >>${trapped}\n`, { mode: 0o755 });
    const env = { PATH: `${trap}:${process.env["PATH"]}`, LD_PRELOAD: "/no/such.so", IFS: "e", QUOTED: `a'b"$(id)\n\n c` };
    const spec = specOf(world.bundle({ "server.cjs": SERVER }), {
      filesystem: "read-only",
      env,
      secrets: [{ ref: { name: "API_KEY", version: "1" }, as: "env" }],
    });
    const [port] = portsOf(await runtime.apply(world.ctx({ secrets: { API_KEY: "key-123\n" } }), { spec, ...PRIOR }));
    const seen = JSON.parse(await get(port!)) as { env: Record<string, string>; pid: number };
    expect(await get(port!, "/write")).toBe("EROFS");
    expect(existsSync(trapped)).toBe(false);
    expect(seen.env).toMatchObject({ ...env, API_KEY: "key-123\n", PORT: String(port) });
    expect(Object.keys(seen.env).filter((name) => name.startsWith("HELIX_"))).toEqual(["HELIX_UNIT"]);
    // Each program that was started with it complains: the application's alone.
    const lines = await linesOf(runtime.logs!(world.ctx(), { ...PRIOR, follow: false, tail: null, after: null }));
    expect(lines.filter(({ text }) => text.includes("LD_PRELOAD"))).toHaveLength(1);
  });

  it("serves a static site", async () => {
    const spec = specOf(world.site({ "index.html": "<h1>site</h1>", "helix.yaml": "secret" }, "index.html"));
    const [port] = portsOf(await runtime.apply(world.ctx(), { spec, ...PRIOR }));
    expect(await get(port!)).toBe("<h1>site</h1>");
    expect(await get(port!, "/page")).toBe("<h1>site</h1>");
    expect(await get(port!, "/helix.yaml")).toBe("Not Found\n");
  });
});

describe.runIf(isRoot)("started as root", () => {
  const CURIOUS = `
    const { readFileSync } = require("node:fs");
    const look = (path) => { try { readFileSync(path); return "read" } catch (error) { return error.code } };
    require("node:http").createServer((request, response) => response.end(look(decodeURIComponent(request.url)) + " " + process.getuid())).listen(process.env.PORT)`;

  it("each service is a user of its own, who reads neither keys nor another service", async () => {
    const spec = specOf(world.bundle({ "server.cjs": CURIOUS, "secret.txt": "x" }));
    const other = world.ctx({ revision: "rev_02", identity: { ...world.ctx({ revision: "rev_02" }).identity, unit: "unit_2" } });
    const [mine, theirs] = [await runtime.apply(world.ctx(), { spec, ...PRIOR }), await runtime.apply(other, { spec, ...PRIOR })];
    const look = (path: string): Promise<string> => get(portsOf(mine)[0]!, encodeURI(path));
    const uid = uidOf(world.ctx().identity);
    expect(await look(join(world.ctx().home, "revisions/rev_01/0/app/secret.txt"))).toBe(`read ${uid}`);
    expect(await look(join(world.ctx().home, "revisions/rev_02/0/app/secret.txt"))).toBe(`EACCES ${uid}`);
    expect(await look(join(world.home, "data/supervisor/lock"))).toBe(`EACCES ${uid}`);
    expect(await get(portsOf(theirs)[0]!, "/x")).toBe(`ENOENT ${uidOf(other.identity)}`);
  });

  it("a volume is the service's while it runs, and the engine's again afterwards", async () => {
    const handle = await runtime.ensureVolume!(world.ctx(), { name: "data" });
    const volumes = [{ name: "data", handle, path: "/data", writers: "single" as const }];
    const spec = specOf(world.bundle({ "server.cjs": SERVER }), { volumes });
    const kept = (): number => statSync(join(handle.id, "kept")).uid;
    const [port] = portsOf(await runtime.apply(world.ctx(), { spec, ...PRIOR }));
    await get(port!, "/data");
    expect(kept()).toBe(uidOf(world.ctx().identity));
    await runtime.suspend!(world.ctx(), { ...PRIOR, how: "stop", graceMs: 1000 });
    expect(kept()).toBe(0);
    const next = world.ctx({ revision: "rev_02" });
    const [again] = portsOf(await runtime.apply(next, { spec, ...PRIOR }));
    expect(await get(again!, "/data")).toBe("kept");
    await runtime.destroy(world.ctx(), { ...PRIOR, graceMs: 0 });
    expect(kept()).toBe(uidOf(world.ctx().identity));
    await runtime.destroy(next, { ...PRIOR, graceMs: 0 });
    expect(kept()).toBe(0);
  });

  it("a volume with many writers belongs to one user of its service for good, whatever is at work", async () => {
    const handle = await runtime.ensureVolume!(world.ctx(), { name: "data" });
    const volumes = [{ name: "data", handle, path: "/data", writers: "many" as const }];
    const spec = specOf(world.bundle({ "server.cjs": SERVER }), { volumes });
    const { uid } = sharingUser(world.ctx().identity);
    const next = world.ctx({
      revision: "rev_02",
      identity: { ...world.ctx({ revision: "rev_02" }).identity, unit: "unit_of_another_runtime" },
    });
    for (const ctx of [world.ctx(), next]) {
      const [port] = portsOf(await runtime.apply(ctx, { spec, ...PRIOR }));
      expect(await get(port!, "/uid")).toBe(String(uid));
      expect(await get(port!, "/data")).toBe("kept");
    }
    await runtime.destroy(next, { ...PRIOR, graceMs: 0 });
    await runtime.suspend!(world.ctx(), { ...PRIOR, how: "stop", graceMs: 0 });
    expect([statSync(handle.id).uid, statSync(join(handle.id, "kept")).uid]).toEqual([uid, uid]);
    const other = { ...world.ctx().identity, names: { ...world.ctx().identity.names, service: "api" } };
    expect(sharingUser(other).uid).not.toBe(uid);
    expect(uid).toBeGreaterThanOrEqual(2_000_000_000);
  });

  it("a service runs as root where its user could not get through, and the log says so", async () => {
    chmodSync(world.home, 0o700);
    const [port] = portsOf(await runtime.apply(world.ctx(), { spec: specOf(world.bundle({ "server.cjs": SERVER })), ...PRIOR }));
    expect(await get(port!, "/uid")).toBe("0");
    expect(world.logged.join()).toContain(`could not pass ${world.home}`);
  });
});

describe("destroy and list", () => {
  it("leave nothing, twice as well", async () => {
    const spec = specOf(world.bundle({ "server.cjs": SERVER }), { replicas: 2 });
    await runtime.apply(world.ctx(), { spec, ...PRIOR });
    expect(await runtime.list(world.ctx(), { installation: "ins_1" })).toMatchObject([
      { kind: "revision", identity: { revision: "rev_01", unit: "unit_1", organization: "org_1", project: "prj_1", environment: "env_1" } },
      { kind: "revision" },
    ]);
    expect(await runtime.list(world.ctx(), { installation: "ins_2" })).toEqual([]);
    const before = await pids();
    await runtime.destroy(world.ctx(), { ...PRIOR, graceMs: 2000 });
    await runtime.destroy(world.ctx(), { ...PRIOR, graceMs: 2000 });
    expect(await runtime.list(world.ctx(), { installation: "ins_1" })).toEqual([]);
    expect(await runtime.observe(world.ctx(), PRIOR)).toBeNull();
    for (const pid of before) expect(existsSync(`/proc/${pid}`)).toBe(false);
    expect(readdirSync(join(world.ctx().home, "revisions"))).toEqual([]);
    expect(readdirSync(join(world.home, "data/supervisor/logs"))).toEqual([]);
  });

  it("names a folder that no process belongs to", async () => {
    const spec = specOf(world.bundle({ "server.cjs": SERVER }));
    await runtime.apply(world.ctx(), { spec, ...PRIOR });
    const supervisor = await world.supervisor();
    await supervisor.remove((await supervisor.list())[0]!.name, { graceMs: 0 });
    supervisor.close();
    expect(await runtime.list(world.ctx(), { installation: "ins_1" })).toMatchObject([
      { kind: "work-folder", identity: { revision: "rev_01", unit: "unit_1" } },
    ]);
    await runtime.destroy(world.ctx(), { ...PRIOR, graceMs: 0 });
    expect(await runtime.list(world.ctx(), { installation: "ins_1" })).toEqual([]);
  });

  it("touch no other revision", async () => {
    const spec = specOf(world.bundle({ "server.cjs": SERVER }));
    await runtime.apply(world.ctx(), { spec, ...PRIOR });
    await runtime.apply(world.ctx({ revision: "rev_02" }), { spec, ...PRIOR });
    await runtime.destroy(world.ctx(), { ...PRIOR, graceMs: 1000 });
    expect((await runtime.observe(world.ctx({ revision: "rev_02" }), PRIOR))!.phase).toBe("running");
  });
});

describe("suspend", () => {
  it("freezes, and apply thaws the same process", async () => {
    const spec = specOf(world.bundle({ "server.cjs": SERVER }));
    const [port] = portsOf(await runtime.apply(world.ctx(), { spec, ...PRIOR }));
    await get(port!);
    const before = await pids();
    const frozen = await runtime.suspend!(world.ctx(), { ...PRIOR, how: "freeze", graceMs: 1000 });
    expect(frozen).toMatchObject({ phase: "frozen", endpoints: [] });
    expect(runtime.plan({ spec, observed: frozen })).toMatchObject([{ path: "phase", from: "frozen", to: "running" }]);
    await expect(fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(200) })).rejects.toThrow();
    expect((await runtime.apply(world.ctx(), { spec, ...PRIOR })).phase).toBe("running");
    expect(await pids()).toEqual(before);
    expect(await get(port!)).toContain("PORT");
  });

  it("stops gracefully, and apply starts it again", async () => {
    const spec = specOf(world.bundle({ "server.cjs": SERVER }));
    const [port] = portsOf(await runtime.apply(world.ctx(), { spec, ...PRIOR }));
    await get(port!);
    const stopped = await runtime.suspend!(world.ctx(), { ...PRIOR, how: "stop", graceMs: 5000 });
    expect(stopped).toMatchObject({ phase: "stopped", endpoints: [], instances: [{ lastExit: { code: 0 } }] });
    expect(
      (await linesOf(runtime.logs!(world.ctx(), { ...PRIOR, follow: false, tail: null, after: null }))).map(({ text }) => text),
    ).toContain("ending");
    expect((await runtime.apply(world.ctx(), { spec, ...PRIOR })).phase).toBe("running");
  });

  it("of what is gone is no failure", async () => {
    expect(await runtime.suspend!(world.ctx(), { ...PRIOR, how: "stop", graceMs: 0 })).toMatchObject({ phase: "stopped", instances: [] });
  });
});

describe("logs", () => {
  const TALKER = `let n = 0; setInterval(() => console.log("line " + n++), 5); console.error("first")`;

  it("merge all instances, resume from any cursor, and give the last lines", async () => {
    const spec = specOf(world.bundle({ "server.cjs": TALKER }), { replicas: 2 });
    await runtime.apply(world.ctx(), { spec, ...PRIOR });
    await sleep(600);
    await runtime.suspend!(world.ctx(), { ...PRIOR, how: "stop", graceMs: 0 });
    const read = (after: string | null, tail: number | null): Promise<LogLine[]> =>
      linesOf(runtime.logs!(world.ctx(), { ...PRIOR, follow: false, tail, after }));
    const all = await read(null, null);
    expect(new Set(all.map(({ instance }) => instance))).toEqual(new Set([0, 1]));
    expect(all.filter(({ stream }) => stream === "stderr")).toHaveLength(2);
    expect(all.map(({ at }) => at)).toEqual(all.map(({ at }) => at).sort());
    for (const index of [0, 5, all.length - 2])
      expect((await read(all[index]!.cursor, null)).map(({ text }) => text)).toEqual(all.slice(index + 1).map(({ text }) => text));
    const tail = await read(null, 7);
    expect(tail.map(({ text }) => text)).toEqual(all.slice(-7).map(({ text }) => text));
    expect((await read(tail.at(-1)!.cursor, null)).length).toBe(0);
  });

  it("begin with what comes where none of the last lines is wanted", async () => {
    await runtime.apply(world.ctx(), { spec: specOf(world.bundle({ "server.cjs": TALKER })), ...PRIOR });
    const written = async () => (await linesOf(runtime.logs!(world.ctx(), { ...PRIOR, follow: false, tail: null, after: null }))).length;
    await until(async () => (await written()) > 50);
    const stop = new AbortController();
    for await (const { text } of runtime.logs!(world.ctx({ signal: stop.signal }), { ...PRIOR, follow: true, tail: 0, after: null })) {
      stop.abort();
      expect(Number(text.slice(5))).toBeGreaterThan(45);
    }
  });

  it("follow through the supervisor's death and end with the signal", async () => {
    const spec = specOf(world.bundle({ "server.cjs": TALKER }));
    await runtime.apply(world.ctx(), { spec, ...PRIOR });
    const stop = new AbortController();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { text } of runtime.logs!(world.ctx({ signal: stop.signal }), { ...PRIOR, follow: true, tail: 0, after: null })) {
        if (text.startsWith("line")) seen.push(Number(text.slice(5)));
      }
    })();
    await until(() => seen.length > 20);
    const supervisor = await world.supervisor();
    process.kill((await supervisor.ping()).pid, "SIGKILL");
    await supervisor.closed;
    (await world.supervisor()).close();
    const before = seen.length;
    await until(() => seen.length > before + 100);
    stop.abort();
    await reading;
    expect(seen).toEqual(seen.map((_, index) => seen[0]! + index));
  });
});

describe("run", () => {
  const spec = (): ReturnType<typeof specOf> =>
    specOf(world.bundle({ "task.cjs": `console.log("task in " + process.env.STAGE); process.exit(Number(process.env.CODE ?? 0))` }), {
      env: { STAGE: "test", CODE: "4" },
    });

  it("runs a command to its end, with its output and exit code, and leaves no process", async () => {
    const result = await runtime.run!(world.ctx(), { spec: spec(), name: "migrate", command: ["node", "task.cjs"] });
    expect(result).toEqual({ exitCode: 4, logs: ["task in test"] });
    expect(world.logged).toContain("task in test");
    expect(await pids()).toEqual([]);
    expect(await runtime.observe(world.ctx(), PRIOR)).toBeNull();
    await runtime.destroy(world.ctx(), { ...PRIOR, graceMs: 0 });
    expect(await runtime.list(world.ctx(), { installation: "ins_1" })).toEqual([]);
  });

  it("gives all output of a task that says much and ends at once", async () => {
    const task = specOf(world.bundle({ "task.cjs": `for (let n = 0; n < 3000; n++) console.log("line " + n)` }));
    const { logs } = await runtime.run!(world.ctx(), { spec: task, name: "migrate", command: ["node", "task.cjs"] });
    expect(logs).toHaveLength(100);
    expect(logs.at(-1)).toBe("line 2999");
    expect(world.logged.filter((line) => line.startsWith("line "))).toEqual(Array.from({ length: 3000 }, (_, n) => `line ${n}`));
  });

  it("hides secrets in what a task prints", async () => {
    const secrets = [{ ref: { name: "API_KEY", version: "1" }, as: "env" as const }];
    const task = specOf(world.bundle({ "task.cjs": `console.log("key is " + process.env.API_KEY)` }), { secrets });
    const { logs } = await runtime.run!(world.ctx({ secrets: { API_KEY: "key-123" } }), {
      spec: task,
      name: "show",
      command: ["node", "task.cjs"],
    });
    expect(logs).toEqual(["key is [secret]"]);
  });

  it("ends with the abort within two seconds, even one that does not listen", async () => {
    const task = specOf(world.bundle({ "task.cjs": `process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)` }));
    const stop = new AbortController();
    const running = runtime.run!(world.ctx({ signal: stop.signal }), { spec: task, name: "migrate", command: ["node", "task.cjs"] });
    await until(() => world.logged.includes("up"));
    const [pid] = await pids();
    const asked = Date.now();
    stop.abort();
    await expect(running).rejects.toMatchObject({ code: "ABORTED" });
    expect(Date.now() - asked).toBeLessThan(2000);
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });

  it("fails and ends the task when the supervisor dies", async () => {
    const task = specOf(world.bundle({ "task.cjs": `console.log("up"); setInterval(() => {}, 1000)` }));
    const running = runtime.run!(world.ctx(), { spec: task, name: "migrate", command: ["node", "task.cjs"] });
    const failing = expect(running).rejects.toMatchObject({ name: "PluginError" });
    await until(() => world.logged.includes("up"));
    const [pid] = await pids();
    const supervisor = await world.supervisor();
    process.kill((await supervisor.ping()).pid, "SIGKILL");
    await failing;
    await until(() => !existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/stat`, "latin1").includes(") Z "));
  });
});

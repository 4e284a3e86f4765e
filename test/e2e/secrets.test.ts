import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, readdir, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import { afterEach, describe, expect, it } from "vitest";
import { type CanaryLife, liveAsCanary } from "./support/canary.ts";
import { type Patch, copyOfHouse } from "./support/copy-of-house.ts";
import { type Plane, eventually, get, makePlane, makeProject } from "./support/plane.ts";
import { searchSecrets } from "./support/secret-search.ts";

const hasDocker = await new Docker({ socketPath: "/var/run/docker.sock" }).ping().then(
  () => true,
  () => false,
);
const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;
const after: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of after.splice(0).reverse()) await undo();
});

async function planeFor(env: Readonly<Record<string, string>> = {}, bin?: string): Promise<Plane> {
  const plane = await makePlane(env, { bin });
  after.push(() => plane.remove());
  return plane;
}

const search = (plane: Plane, { values, texts, project }: CanaryLife, folders: readonly string[] = []) =>
  searchSecrets({ home: plane.home, values, texts, folders, ...(hasDocker && { project }) });

async function startRedis(): Promise<{ url: string; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "helix-redis-"));
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  const server = spawn(
    "redis-server",
    ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--appendonly", "yes", "--appendfsync", "always"],
    { stdio: "ignore" },
  );
  after.push(async () => {
    server.kill("SIGKILL");
    await once(server, "exit");
    await rm(folder, { recursive: true, force: true });
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  return { url: `redis://127.0.0.1:${port}`, folder };
}

const TALKATIVE = { HELIX_LOG_LEVEL: "debug", HELIX_TRACE: "trace.jsonl" };

for (const [runtime, builder] of [
  ["process", "node"],
  ["docker", "node"],
  ["docker", "dockerfile"],
] as const) {
  describe.skipIf(runtime === "docker" && !hasDocker)(`a canary on ${runtime}, built by ${builder}`, () => {
    it("is found nowhere, raw or encoded, through its whole life and after it, with every log and trace that there is", async () => {
      const redis = hasRedis && builder === "node" ? await startRedis() : null;
      const plane = await planeFor({ ...TALKATIVE, ...(redis && { REDIS_URL: redis.url }) });
      const life = await liveAsCanary(plane, { runtime, builder, isShort: builder === "dockerfile" });
      after.push(life.remove);
      const folders = redis ? [redis.folder] : [];
      expect(await search(plane, life, folders)).toEqual([]);
      expect((await readFile(join(plane.home, "trace.jsonl"), "utf8")).length).toBeGreaterThan(1_000);
      await life.end();
      expect(await search(plane, life, folders)).toEqual([]);
    });
  });
}

describe.skipIf(!hasDocker)("what an application in a container prints itself", () => {
  it("stands in Docker's own log of that container and nowhere else, closed to all but root, and goes with it", async () => {
    const plane = await planeFor();
    const life = await liveAsCanary(plane, { runtime: "docker", isLoud: true, isShort: true });
    after.push(life.remove);
    const places = [...new Set((await search(plane, life)).map(({ place }) => place))];
    expect(places.filter((place) => !/^docker's file .*-json\.log$/.test(place))).toEqual([]);
    expect(places).toHaveLength(1);
    const { mode, uid } = await stat(places[0]!.slice("docker's file ".length));
    expect([mode & 0o007, uid]).toEqual([0, 0]);
    await life.end();
    expect(await search(plane, life)).toEqual([]);
  });
});

/** Each takes one guard out of a copy of the built program. */
const GUARDS: readonly {
  readonly guard: string;
  readonly runtime: string;
  readonly builder?: "dockerfile";
  readonly found: RegExp;
  readonly patches: readonly Patch[];
  readonly memory?: true;
}[] = [
  {
    guard: "the local store's seal",
    runtime: "process",
    found: /data\/secrets\//,
    patches: [
      {
        file: "packages/core/dist/adapters/secrets/local/seal.js",
        from: 'cipher.update(value, "utf8")',
        to: "(cipher.update(value, 'utf8'), Buffer.from(value))",
      },
      {
        file: "packages/core/dist/adapters/secrets/local/seal.js",
        from: 'return Buffer.concat([decipher.update(Buffer.from(sealed.data, "base64")), decipher.final()]).toString("utf8");',
        to: "return Buffer.from(sealed.data, 'base64').toString('utf8');",
      },
    ],
  },
  {
    guard: "the masking of what is printed",
    runtime: "process",
    found: /data\/(supervisor\/)?logs|helix logs/,
    patches: [
      {
        file: "packages/sdk/dist/redact/forms.js",
        from: "export function formsOf(value) {",
        to: "export function formsOf(value) { return [];",
      },
    ],
  },
  {
    guard: "the folder in memory",
    runtime: "process",
    found: /shm-on-disk/,
    memory: true,
    patches: [],
  },
  {
    guard: "the rule that .env is never part of a source",
    runtime: "process",
    found: /data\/sources/,
    patches: [
      { file: "packages/cli/dist/bin/commands/*", from: 'startsWith(".env")', to: 'startsWith(".nothing")' },
      // The guard behind it: a build whose result holds a build secret is refused.
      {
        file: "packages/node-toolchain/dist/leaks.js",
        from: "export async function refuseLeaks(folder, secrets) {",
        to: "export async function refuseLeaks(folder, secrets) { return;",
      },
    ],
  },
  {
    guard: "the launcher in containers",
    runtime: "docker",
    found: /docker inspect/,
    patches: [
      {
        file: "plugins/docker/dist/secrets.js",
        from: "const shown = isImage ? variablesOf(spec) : [];",
        to: "const shown = variablesOf(spec);",
      },
    ],
  },
  {
    guard: "the builder's secret mounts",
    runtime: "docker",
    builder: "dockerfile",
    found: /docker history/,
    patches: [
      {
        file: "plugins/dockerfile/dist/buildkit.js",
        from: '["--secret", `id=${name},src=${join(folder, name)}`]',
        to: '["--build-arg", `${name}=${process.getBuiltinModule("node:fs").readFileSync(join(folder, name), "utf8")}`]',
      },
    ],
  },
];

describe("the same search finds the canary without", () => {
  for (const { guard, runtime, builder, found, patches, memory } of GUARDS) {
    it.skipIf(runtime === "docker" && !hasDocker)(guard, async () => {
      const disk = memory ? await mkdtemp(join(tmpdir(), "helix-shm-on-disk-")) : null;
      if (disk) after.push(() => rm(disk, { recursive: true, force: true }));
      if (disk) await mkdir(disk, { recursive: true });
      const memoryPatches: Patch[] = disk
        ? [
            { file: "plugins/process/dist/secrets.js", from: '"/dev/shm"', to: JSON.stringify(disk) },
            {
              file: "packages/supervisor/dist/hub.js",
              from: "/^\\/dev\\/shm\\/helix-[^/]/.test(real)",
              to: "real.includes('shm-on-disk')",
            },
          ]
        : [];
      const house = await copyOfHouse([...patches, ...memoryPatches]);
      after.push(house.remove);
      const plane = await planeFor({}, house.bin);
      const life = await liveAsCanary(plane, { runtime, ...(builder && { builder }), isShort: true });
      after.push(life.remove);
      const places = (await search(plane, life, disk ? [disk] : [])).map(({ place }) => place);
      expect(places.filter((place) => found.test(place))).not.toEqual([]);
    });
  }
});

const SERVER = `
  const http = require("node:http");
  http.createServer((req, res) => res.end(process.env.PASSWORD)).listen(process.env.PORT);
`;

describe("a developer's secret", () => {
  it("is three commands away from a running application", async () => {
    const plane = await planeFor();
    const app = await makeProject({ "package.json": "{}", "server.js": SERVER, ".env": "PASSWORD=from-the-file\n" });
    after.push(app.remove);
    for (const args of [
      ["init", "--yes"],
      ["env", "push"],
    ])
      expect((await plane.helix(args, { cwd: app.folder })).json.ok).toBe(true);
    const { json } = await plane.helix(["deploy"], { cwd: app.folder });
    expect((await get(json.services[0].address)).text).toBe("from-the-file");
  });

  it("is rotated under load: no request fails, the plan says so, no process has the old one afterwards, and a rollback restores it", async () => {
    const plane = await planeFor();
    const manifest =
      "project: rotate\nservices: { web: { build: node, start: node server.js, secrets: [PASSWORD] } }\nrollback: { keep: 0 }\n";
    const app = await makeProject({ "helix.yaml": manifest, "package.json": "{}", "server.js": SERVER });
    after.push(app.remove);
    const helix = (args: readonly string[], input?: string) =>
      plane.helix(args, { cwd: app.folder, ...(input !== undefined && { input }) });
    const [old, next] = [`old-password-${randomBytes(4).toString("hex")}`, `new-password-${randomBytes(4).toString("hex")}`];
    const missing = await helix(["deploy"]);
    expect(missing.json.error).toMatchObject({ code: "SECRET_MISSING", hint: expect.stringContaining("helix secrets set PASSWORD") });
    await helix(["secrets", "set", "PASSWORD"], `${old}\n`);
    const first = await helix(["deploy"]);
    const { address } = first.json.services[0];
    const counts = { ok: 0, failed: 0 };
    const stop = new AbortController();
    const load = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (!stop.signal.aborted) {
          const good = await get(address).then(
            ({ status, text }) => status === 200 && /^(old|new)-password/.test(text),
            () => false,
          );
          counts[good ? "ok" : "failed"]++;
        }
      }),
    );
    await helix(["secrets", "rotate", "PASSWORD"], next);
    const { json: plan } = await helix(["plan"]);
    expect(plan.changes).toEqual([{ service: "web", action: "update", path: "secrets.PASSWORD", from: "version 1", to: "version 2" }]);
    expect((await get(address)).text).toBe(old);
    expect((await helix(["deploy"])).json.ok).toBe(true);
    stop.abort();
    await load;
    expect(counts.failed).toBe(0);
    expect(counts.ok).toBeGreaterThan(100);
    expect((await get(address)).text).toBe(next);
    await eventually(
      "no process has the old value, and no file in memory",
      async () =>
        spawnSync("grep", ["-la", old, ...(await environs())]).stdout.toString() +
        spawnSync("grep", ["-rlaF", old, "/dev/shm"]).stdout.toString(),
      {
        holds: (text) => text === "",
      },
    );
    const back = await helix(["rollback", first.json.release.id]);
    expect(back.json.ok).toBe(true);
    expect((await get(address)).text).toBe(old);
    console.log(`rotation under load: ${counts.ok} requests, ${counts.failed} failed`);
  });

  it("does not stand on a command line, and a refusal does not repeat it", async () => {
    const plane = await planeFor();
    const { exit, stdout, stderr } = await plane.helix(["secrets", "set", "PASSWORD=typed-by-mistake", "--project", "shop"]);
    expect(exit).toBe(2);
    expect(stdout + stderr).not.toContain("typed-by-mistake");
  });
});

async function environs(): Promise<readonly string[]> {
  return (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid).map((pid) => `/proc/${pid}/environ`);
}

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPostgres } from "../../packages/core/test/support/postgres.ts";
import { hasRedis, startRedis } from "../../packages/core/test/support/redis.ts";
import { eventually, get, kill, makePlane, makeProject, type Plane } from "./support/plane.ts";

// The thin true line: node -> process -> router, through the real ledger, queue and plugin host.

const server = (greeting: string) => `
  const http = require("node:http");
  console.log("starting ${greeting}");
  http.createServer((req, res) => res.end("${greeting}")).listen(process.env.PORT);
`;
const manifest = `
project: line
services:
  web:
    build: node
    runtime: process
    start: node server.js
`;

/** Where database and queue are. The same tests pass on all. */
const MODES: Readonly<Record<string, { readonly roles: readonly string[]; readonly start: () => Promise<Servers> }>> = {
  "embedded: database and queue on our own PostgreSQL": {
    roles: ["control", "router", "postgres", "supervisor"],
    start: async () => ({ env: {}, stop: async () => undefined }),
  },
  "redis: database by DATABASE_URL, queue by REDIS_URL": { roles: ["control", "router", "supervisor"], start: startServers },
};

interface Servers {
  readonly env: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
}

async function startServers(): Promise<Servers> {
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
  return {
    env: { DATABASE_URL: await postgres.database(), REDIS_URL: redis.url },
    async stop() {
      await redis.stop();
      await postgres.stop();
    },
  };
}

describe.for(Object.entries(MODES))("%s", ([name, mode]) => {
  if (name.startsWith("redis") && !hasRedis()) return it.skip("redis-server is not on PATH");
  let servers: Servers;
  let plane: Plane;
  let project: Awaited<ReturnType<typeof makeProject>>;
  let address: { host: string; port: number };
  let firstRelease: string;

  beforeAll(async () => {
    servers = await mode.start();
    plane = await makePlane(servers.env);
    project = await makeProject({
      "helix.yaml": manifest,
      "server.js": server("one"),
      "package.json": `{"name":"line","version":"1.0.0"}`,
    });
  });
  afterAll(async () => {
    await plane.remove();
    await project.remove();
    await servers.stop();
  });

  it("deploys a folder and it answers", async () => {
    const { exit, json, stderr } = await plane.helix(["deploy"], { cwd: project.folder });
    expect(exit, stderr).toBe(0);
    expect(json).toMatchObject({
      ok: true,
      deployment: { status: "live", noChange: false },
      services: [{ name: "web", environment: "production", runtime: "process" }],
    });
    address = json.services[0].address;
    firstRelease = json.release.id;
    expect((await get(address)).text).toBe("one");
    expect(json.services[0].url).toMatch(/^http:\/\/web\.production\.line\.localhost:\d+$/);
    expect(json.services[0].artifact).toMatchObject({ kind: "node-bundle", digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
  });

  it("plans nothing after it, and deploys nothing again", async () => {
    const plan = await plane.helix(["plan"], { cwd: project.folder });
    expect(plan.json).toMatchObject({ ok: true, changes: [] });
    const again = await plane.helix(["deploy"], { cwd: project.folder });
    expect(again.json).toMatchObject({ ok: true, deployment: { status: "live", noChange: true }, release: { id: firstRelease } });
  });

  it("switches to a change, at the same address", async () => {
    await project.write("server.js", server("two"));
    const { json, stderr } = await plane.helix(["deploy"], { cwd: project.folder });
    expect(json.ok, stderr).toBe(true);
    expect(json.services[0].address).toEqual(address);
    expect((await get(address)).text).toBe("two");
  });

  it("keeps the old release serving when the new one is never healthy, and says why", async () => {
    await project.write("server.js", `console.log("cannot go on"); process.exit(3);`);
    const { exit, json } = await plane.helix(["deploy"], { cwd: project.folder });
    expect(exit).toBe(4);
    expect(json.error).toMatchObject({ plane: "runtime", step: "verify:web" });
    expect(json.error.logs.join("\n")).toContain("cannot go on");
    expect((await get(address)).text).toBe("two");
  });

  it("rolls back to the first release without a build", async () => {
    const { json } = await plane.helix(["rollback"], { cwd: project.folder });
    expect(json.candidates.map((candidate: { release: string }) => candidate.release)).toContain(firstRelease);
    const back = await plane.helix(["rollback", firstRelease], { cwd: project.folder });
    expect(back.json).toMatchObject({ ok: true, release: { id: firstRelease } });
    expect((await get(address)).text).toBe("one");
  });

  it("survives the death of each of its processes", async () => {
    for (const role of mode.roles) {
      const { json } = await plane.helix(["status"], { cwd: project.folder });
      const victim = json.processes.find((one: { role: string }) => one.role === role);
      expect(victim, `no process of role ${role}`).toBeTruthy();
      kill(victim.pid);
      await eventually(`${role} is back`, async () => (await plane.helix(["status"], { cwd: project.folder })).json, {
        holds: (status) =>
          status.ok &&
          status.services?.[0]?.status === "live" &&
          status.processes.some((one: { role: string; pid: number }) => one.role === role && one.pid !== victim.pid),
      });
      await eventually("the application answers", async () => (await get(address)).text, { holds: (text) => text === "one" });
    }
  });

  it("destroys and leaves nothing", async () => {
    const { exit } = await plane.helix(["destroy", "--yes"], { cwd: project.folder });
    expect(exit).toBe(0);
    const { json } = await plane.helix(["status"], { cwd: project.folder });
    expect(json.services).toEqual([]);
    expect((await plane.processes()).filter(({ command }) => command.includes("server.js"))).toEqual([]);
  });
});

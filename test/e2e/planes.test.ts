import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually, get, kill, makePlane, makeProject, type Plane } from "./support/plane.ts";

const docker = new Docker({ socketPath: "/var/run/docker.sock" });
const hasDocker = await docker.ping().then(
  () => true,
  () => false,
);

const server = `
  const fs = require("node:fs"), http = require("node:http"), path = require("node:path");
  const file = path.join(process.env.DATA_DIR, "count");
  http.createServer((req, res) => {
    const count = Number(fs.existsSync(file) ? fs.readFileSync(file, "utf8") : 0) + 1;
    fs.writeFileSync(file, String(count));
    res.end(String(count));
  }).listen(process.env.PORT);
`;
/** Its own, so that nothing of another run is taken for this one's. */
const projectName = `planes-${process.pid}`;
const manifest = (runtime: string) => `
project: ${projectName}
services:
  web:
    build: node
    runtime: ${runtime}
    start: node server.js
    volumes: { data: /data }
  side:
    build: node
    runtime: ${runtime}
    start: node server.js
    needs: [web]
`;

for (const runtime of ["process", "docker"]) {
  describe.skipIf(runtime === "docker" && !hasDocker)(`on ${runtime}`, () => {
    let plane: Plane;
    let project: Awaited<ReturnType<typeof makeProject>>;
    const addresses: Record<string, { host: string; port: number }> = {};
    const status = async () => (await plane.helix(["status"], { cwd: project.folder })).json;

    beforeAll(async () => {
      plane = await makePlane();
      project = await makeProject({ "helix.yaml": manifest(runtime), "server.js": server, "package.json": "{}" });
      const { json, stderr } = await plane.helix(["deploy"], { cwd: project.folder });
      expect(json.ok, stderr).toBe(true);
      for (const { name, address } of json.services) addresses[name] = address;
    });
    afterAll(async () => {
      await plane.helix(["destroy", "--yes", "--with-data"], { cwd: project.folder }).catch(() => undefined);
      await plane.remove();
      await project.remove();
    });

    it("plans without writing: ledger and world are the same before and after", async () => {
      const before = await settled(plane);
      await project.write("server.js", `${server}// changed`);
      const { json } = await plane.helix(["plan"], { cwd: project.folder });
      expect(json.changes.map((change: { service: string; path: string }) => `${change.service} ${change.path}`).sort()).toEqual([
        "side source",
        "web source",
      ]);
      const after = await fingerprint(plane);
      await project.write("server.js", server);
      expect(after).toEqual(before);
    });

    it("keeps answering while the control plane is down, and finds everything as it was", async () => {
      const before = await status();
      expect((await plane.helix(["down", "--control"])).exit).toBe(0);
      const counted = Number((await get(addresses["web"]!)).text);
      expect((await plane.helix(["ls"], { cwd: project.folder })).json.error).toMatchObject({ code: "PLANE_DOWN" });
      const again = await plane.helix(["deploy"], { cwd: project.folder });
      expect(again.json).toMatchObject({ ok: true, deployment: { noChange: true } });
      expect((await status()).services).toEqual(before.services);
      expect(Number((await get(addresses["web"]!)).text)).toBe(counted + 1);
    });

    it("comes back with its data after the machine lost every process", async () => {
      const counted = Number((await get(addresses["web"]!)).text);
      for (const { pid } of await plane.processes()) kill(pid);
      if (runtime === "docker")
        for (const { Id } of await ownContainers())
          await docker
            .getContainer(Id)
            .kill()
            .catch(() => undefined);
      const serving = plane.spawnHelix(["server"], { cwd: project.folder });
      const answer = await eventually("the service is back", async () => Number((await get(addresses["web"]!)).text), {
        holds: (count) => count > counted,
        forMs: 30_000,
      });
      expect(answer).toBeGreaterThan(counted);
      const ended = new Promise((resolve) => serving.once("close", resolve));
      serving.kill("SIGTERM");
      await ended;
      await plane.helix(["deploy"], { cwd: project.folder });
    });

    it("down stops everything of this home; deploy brings back what was live", async () => {
      await plane.helix(["down"]);
      await eventually("all processes ended", () => plane.processes(), { holds: (left) => left.length === 0 });
      await expect(get(addresses["web"]!)).rejects.toThrow();
      const { json } = await plane.helix(["deploy"], { cwd: project.folder });
      expect(json.ok).toBe(true);
      await eventually("it answers", async () => (await get(addresses["web"]!)).status, { holds: (code) => code === 200 });
    });

    it("destroy keeps declared volumes; destroy --with-data leaves nothing", async () => {
      const counted = Number((await get(addresses["web"]!)).text);
      expect((await plane.helix(["destroy", "--yes"], { cwd: project.folder })).exit).toBe(0);
      await expect(get(addresses["web"]!)).rejects.toThrow();
      const { json } = await plane.helix(["deploy"], { cwd: project.folder });
      const installation = (await ownContainers())[0]?.Config.Labels["helix.installation"];
      expect((await networksOf(installation)).length).toBe(runtime === "docker" ? 1 : 0);
      const web = json.services.find((one: { name: string }) => one.name === "web");
      expect(Number((await get(web.address)).text)).toBeGreaterThan(counted);
      expect((await plane.helix(["destroy", "--yes", "--with-data"], { cwd: project.folder })).exit).toBe(0);
      expect((await plane.processes()).filter(({ command }) => command.includes("server.js"))).toEqual([]);
      expect(await ownContainers()).toEqual([]);
      expect(await networksOf(installation)).toEqual([]);
      expect(await filesBelow(join(plane.home, "data/volumes"))).toEqual([]);
      expect(await filesBelow(join(plane.home, "data/plugins", runtime, "revisions"))).toEqual([]);
      for (const store of ["artifacts", "sources"]) expect(await filesBelow(join(plane.home, "data", store)), store).toEqual([]);
    });
  });
}

/** Networks of the installation that the containers belong to. */
async function networksOf(installation: string | undefined): Promise<readonly string[]> {
  if (!hasDocker || installation === undefined) return [];
  return (await docker.listNetworks()).map(({ Name }) => Name).filter((name) => name.includes(installation));
}

async function ownContainers() {
  if (!hasDocker) return [];
  const all = await docker.listContainers({ all: true, filters: { label: ["helix.kind=revision"] } });
  const inspected = await Promise.all(all.map(({ Id }) => docker.getContainer(Id).inspect()));
  return inspected.filter((container) => container.Config.Labels["helix.project"] === projectName);
}

/** The fingerprint once nothing is left to do behind a deployment. */
async function settled(plane: Plane): Promise<unknown> {
  let last = JSON.stringify(await fingerprint(plane));
  await eventually("the ledger comes to rest", async () => {
    const before = last;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    last = JSON.stringify(await fingerprint(plane));
    return before === last;
  });
  return JSON.parse(last);
}

/** Rows of every ledger table but heartbeats, and what runs in the world. */
async function fingerprint(plane: Plane): Promise<unknown> {
  const { dumpLedger } = await import("./support/ledger.ts");
  const processes = (await plane.processes()).filter(({ command }) => command.includes("server.js")).map(({ pid }) => pid);
  const containers = (await ownContainers()).map(({ Id, State }) => `${Id} ${State.StartedAt}`);
  return {
    ledger: createHash("sha256")
      .update(await dumpLedger(plane.home))
      .digest("hex"),
    processes,
    containers,
    sources: await filesBelow(join(plane.home, "data/sources")),
  };
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

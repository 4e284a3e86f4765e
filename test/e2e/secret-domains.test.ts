import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readlink, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Docker from "dockerode";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { copyOfHouse } from "./support/copy-of-house.ts";
import { type Plane, eventually, get, kill, makePlane, makeProject } from "./support/plane.ts";

// What those see who are on the same machine: a neighbour, its builds, and whoever finds a core dump.

const isRoot = process.getuid?.() === 0;
const hasDocker = await new Docker({ socketPath: "/var/run/docker.sock" }).ping().then(
  () => true,
  () => false,
);
const SECRET = ["secret", "of", "the", "owner", "4c1e"].join("-");
const after: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of after.splice(0).reverse()) await undo();
});

const OWNER = `
  const http = require("node:http");
  http.createServer((req, res) => (req.url === "/abort" ? process.abort() : res.end(process.env.PASSWORD))).listen(process.env.PORT);
`;
/** Looks wherever it can. The needle is put together, so that its own files are no hit. */
const spy = (home: string) => `
  const fs = require("node:fs");
  const { join } = require("node:path");
  const needle = ${JSON.stringify(SECRET.split("-"))}.join("-");
  const read = (path) => { try { return fs.readFileSync(path, "latin1"); } catch { return ""; } };
  const names = (path) => { try { return fs.readdirSync(path); } catch { return []; } };
  const below = (path) => { try { return fs.statSync(path).isDirectory() ? names(path).flatMap((name) => below(join(path, name))) : [path]; } catch { return []; } };
  exports.look = () => ({
    "the environment of another service": names("/proc").some((pid) => /^\\d+$/.test(pid) && read("/proc/" + pid + "/environ").includes(needle)),
    "its secret files in memory": names("/dev/shm").some((name) => name.startsWith("helix-") && below("/dev/shm/" + name).some((path) => read(path).includes(needle))),
    "the store's key file": read(${JSON.stringify(join(home, "keys/secrets.key"))}) !== "",
  });
`;
const SPYING = `
  const { look } = require("./spy.js");
  const built = require("node:fs").readFileSync("built.json", "utf8");
  require("node:http").createServer((req, res) => res.end(JSON.stringify({ service: look(), build: JSON.parse(built) }))).listen(process.env.PORT);
`;
const BUILD = `require("node:fs").writeFileSync("built.json", JSON.stringify(require("./spy.js").look()));`;
const ownerManifest = (runtime: string) =>
  `project: owner\nservices: { web: { build: node, runtime: ${runtime}, start: node server.js, secrets: [PASSWORD] } }\n`;

/** A plane on which the owner runs with its secret. */
async function withOwner({ runtime = "process", config, bin }: { runtime?: string; config?: string; bin?: string }) {
  const plane = await makePlane({}, { bin });
  after.push(() => plane.remove());
  if (config) await writeFile(join(plane.home, "config.yaml"), config);
  const owner = await makeProject({ "helix.yaml": ownerManifest(runtime), "package.json": "{}", "server.js": OWNER });
  after.push(() => owner.remove());
  await plane.helix(["secrets", "set", "PASSWORD"], { cwd: owner.folder, input: SECRET });
  const { json, stdout } = await plane.helix(["deploy"], { cwd: owner.folder });
  expect(json.ok, stdout).toBe(true);
  // Else its files in memory would outlive the home.
  after.push(() => plane.helix(["destroy", "--yes"], { cwd: owner.folder }));
  return { plane, address: json.services[0].address as { host: string; port: number } };
}

async function seenByNeighbour(plane: Plane): Promise<Readonly<Record<string, Readonly<Record<string, boolean>>>>> {
  const neighbour = await makeProject({
    "helix.yaml": "project: neighbour\nservices: { web: { build: node, start: node server.js } }\n",
    "package.json": JSON.stringify({ scripts: { build: "node build.js" } }),
    "server.js": SPYING,
    "build.js": BUILD,
    "spy.js": spy(plane.home),
  });
  after.push(() => neighbour.remove());
  const { json, stdout } = await plane.helix(["deploy"], { cwd: neighbour.folder });
  expect(json.ok, stdout).toBe(true);
  const seen = JSON.parse((await get(json.services[0].address)).text) as Record<string, Record<string, boolean>>;
  await plane.helix(["destroy", "--yes"], { cwd: neighbour.folder });
  return seen;
}

describe.skipIf(!isRoot)("what a neighbour on the same plane finds of a secret (needs root)", () => {
  it("is nothing where each has a user id of its own, and everything in one shared domain", async () => {
    const shared = "plugins: { process: { userPerService: false }, node: { userPerEnvironment: false } }\n";
    const apart = await seenByNeighbour((await withOwner({})).plane);
    const together = await seenByNeighbour((await withOwner({ config: shared })).plane);
    const shown = (found: boolean | undefined) => (found ? "found" : "not found");
    const rows = Object.entries(apart).flatMap(([who, places]) =>
      Object.keys(places).map((place) => `| ${place} | a ${who} | ${shown(places[place])} | ${shown(together[who]![place])} |`),
    );
    console.log(["| looked for in | by | user ids of their own | one shared domain |", ...rows].join("\n"));
    expect(rows).toHaveLength(6);
    for (const row of rows) expect(row).toMatch(/\| not found \| found \|$/);
  });
});

describe.skipIf(!isRoot || !coresAreFiles())("a crash, where the machine keeps core dumps (needs root)", () => {
  const limit = (soft: string) => execFileSync("prlimit", ["--pid", String(process.pid), `--core=${soft}:unlimited`]);
  beforeAll(() => void limit("unlimited"));
  afterAll(() => void limit("0"));

  const dumpsIn = async (folder: string) => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && /^core(\.\d+)?$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name));
  };
  const holdSecret = (files: readonly string[]) => files.filter((file) => spawnSync("grep", ["-qaF", SECRET, file]).status === 0);
  const abort = async (address: { host: string; port: number }) => {
    await get(address, "/abort").catch(() => undefined);
    await eventually("it is back", async () => (await get(address)).text, { holds: (text) => text === SECRET });
  };

  it("of an application or a plugin's process leaves no secret in the dump", async () => {
    const { plane, address } = await withOwner({});
    await abort(address);
    const { json } = await plane.helix(["status", "--project", "owner"]);
    const hosts = (json.processes as { role: string; pid: number }[]).filter(({ role }) => role === "plugin-host").map(({ pid }) => pid);
    expect(hosts).not.toEqual([]);
    const places = await Promise.all(hosts.map((pid) => readlink(`/proc/${pid}/cwd`)));
    for (const pid of hosts) kill(pid, "SIGABRT");
    await eventually("they are gone", async () => !hosts.some((pid) => existsSync(`/proc/${pid}`)));
    const dumps = [...(await dumpsIn(plane.home)), ...(await Promise.all(places.map(topDumps))).flat()];
    console.log(`${dumps.length} core dumps, ${holdSecret(dumps).length} with the secret`);
    expect(dumps).not.toEqual([]);
    expect(holdSecret(dumps)).toEqual([]);
    for (const dump of dumps) await rm(dump, { force: true });
  });

  it("would leave it there without the guard", async () => {
    const house = await copyOfHouse([{ file: "packages/supervisor/dist/core-dumps.js", from: '"0"', to: '"0x33"' }]);
    after.push(house.remove);
    const { plane, address } = await withOwner({ bin: house.bin });
    await abort(address);
    expect(holdSecret(await dumpsIn(plane.home))).not.toEqual([]);
  });

  it.skipIf(!hasDocker)("of an application in a container leaves no dump at all", async () => {
    const { address } = await withOwner({ runtime: "docker" });
    await abort(address);
    const docker = new Docker({ socketPath: "/var/run/docker.sock" });
    const [container] = await docker.listContainers({ filters: { label: ["helix.project=owner"], status: ["running"] } });
    const changes = ((await docker.getContainer(container!.Id).changes()) ?? []) as { Path: string }[];
    expect(changes.map(({ Path }) => Path).filter((path) => /\/core(\.\d+)?$/.test(path))).toEqual([]);
  });
});

/** Core dumps of a folder itself: what is below it may be everybody's. */
async function topDumps(folder: string): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => /^core(\.\d+)?$/.test(name)).map((name) => join(folder, name));
}

/** Whether the kernel writes them as files where the process was, and does not hand them to a program. */
function coresAreFiles(): boolean {
  return spawnSync("cat", ["/proc/sys/kernel/core_pattern"]).stdout.toString().trim() === "core";
}

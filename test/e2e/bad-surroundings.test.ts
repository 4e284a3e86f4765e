import { randomBytes } from "node:crypto";
import { readdir, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Docker from "dockerode";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mountTinyDisk } from "../../packages/core/test/support/tiny-disk.ts";
import { type CutSocket, openCutSocket } from "./support/cut-socket.ts";
import { ledgerUrl } from "./support/ledger.ts";
import { type Plane, eventually, get, makePlane, makeProject } from "./support/plane.ts";

// What the machine does to a deploy: a clear error, the old release goes on, nothing is orphaned, and when the trouble is over the next deploy goes through.

type Project = Awaited<ReturnType<typeof makeProject>>;
const server = (text: string) => `require("node:http").createServer((req, res) => res.end("${text}")).listen(process.env.PORT);`;
const manifest = (project: string, runtime: string) =>
  `project: ${project}\nservices:\n  web:\n    build: node\n    runtime: ${runtime}\n    start: node server.js\n`;

/** What `doctor` finds that the ledger does not believe in, and what a deploy left half made. */
async function leftovers(plane: Plane): Promise<readonly string[]> {
  const { json } = await plane.helix(["doctor"]);
  const found = json.checks.filter(({ name }: { name: string }) => ["orphan", "drift", "unknown"].includes(name));
  const half = await Promise.all(
    ["temp", "sources/tmp", "artifacts/tmp"].map(async (folder) => {
      const names = await readdir(join(plane.home, "data", folder), { recursive: true }).catch(() => []);
      return names.filter((name) => folder !== "temp" || name.includes("build-"));
    }),
  );
  return [...found.map(({ says }: { says: string }) => says), ...half.flat()];
}

/** Deploys that failed have left nothing, and what was live answers as before. */
async function expectUnharmed(plane: Plane, project: Project): Promise<void> {
  const { json } = await plane.helix(["status"], { cwd: project.folder });
  expect(json.services).toMatchObject([{ name: "web", status: "live" }]);
  expect((await get(json.services[0].address)).text).toBe("old");
}

/** PostgreSQL gets the next file that it writes ahead to while there is room, so that it is always the deploy that finds none. */
async function prepareDatabase(plane: Plane): Promise<void> {
  const client = new pg.Client({ connectionString: await ledgerUrl(plane.home) });
  await client.connect();
  for (const _ of [1, 2]) {
    await client.query("select pg_switch_wal()");
    await client.query("checkpoint");
  }
  await client.end();
}

const disk = await mountTinyDisk(256);

describe.skipIf(disk === null)("a full disk", () => {
  const filler = () => join(disk!.folder, "filler");
  const bigFile = 6 * 2 ** 20;
  let plane: Plane;
  let project: Project;
  const deploy = () => plane.helix(["deploy"], { cwd: project.folder });
  const fill = async ({ butFor }: { butFor: number }) => {
    await rm(filler(), { force: true });
    const { bavail, bsize } = await statfs(disk!.folder);
    await writeFile(filler(), Buffer.alloc(bavail * bsize - butFor));
  };

  beforeAll(async () => {
    plane = await makePlane({}, { folder: disk!.folder });
    project = await makeProject({ "helix.yaml": manifest("full", "process"), "server.js": server("old"), "package.json": "{}" });
    const { exit, stderr } = await deploy();
    expect(exit, stderr).toBe(0);
    await prepareDatabase(plane);
    // Written some seconds after a start; it shall not take the room that is measured out below.
    await eventually("compiled code is kept", async () =>
      (await readdir(join(plane.home, "data/code"))).some((name) => name.endsWith(".code")),
    );
    await project.write("server.js", server("new"));
  });
  afterAll(async () => {
    await plane?.remove();
    await disk!.unmount();
    await project?.remove();
  });

  // How far the second one gets depends on what else the plane writes meanwhile: it finds no room at the latest when it is built.
  it.each([
    ["while the source is sent", 2 ** 20, "sources"],
    ["while it is built", bigFile + 3 * 2 ** 20, "(build|sources)"],
  ])("%s", async (_when, butFor, place) => {
    await writeFile(join(project.folder, "big"), randomBytes(bigFile));
    await fill({ butFor });
    const { exit, json, stderr } = await deploy();
    expect(json.error, stderr).toMatchObject({ code: "DISK_FULL", hint: expect.stringMatching(/space/) });
    expect(json.error.message).toMatch(new RegExp(`no space.*${plane.home}/data/.*${place}`));
    expect(exit).toBe(4);
    await expectUnharmed(plane, project);
    await rm(filler());
    expect(await leftovers(plane)).toEqual([]);
  });

  it("lets the next deploy through once there is room", async () => {
    await rm(filler(), { force: true });
    const { exit, json, stderr } = await deploy();
    expect(exit, stderr).toBe(0);
    expect((await get(json.services[0].address)).text).toBe("new");
  });
});

const socketPath = "/var/run/docker.sock";
const docker = new Docker({ socketPath });
const hasDocker = await docker.ping().then(
  () => true,
  () => false,
);

describe.skipIf(!hasDocker)("Docker", () => {
  const name = `cut-${process.pid}`;
  let plane: Plane;
  let project: Project;
  let socket: CutSocket;
  const deploy = (...more: string[]) => plane.helix(["deploy", ...more], { cwd: project.folder });
  const containers = () => docker.listContainers({ all: true, filters: { label: [`helix.project=${name}`] } });

  beforeAll(async () => {
    plane = await makePlane();
    socket = await openCutSocket(socketPath);
    await writeFile(join(plane.home, "config.yaml"), `plugins: { docker: { socket: ${socket.path} } }\n`);
    project = await makeProject({ "helix.yaml": manifest(name, "docker"), "server.js": server("old"), "package.json": "{}" });
  });
  afterAll(async () => {
    await socket.open();
    await plane.helix(["destroy", "--yes"], { cwd: project.folder });
    await plane.remove();
    await socket.remove();
    await project.remove();
  });

  it("not there: says so, and nothing of the deploy stays", async () => {
    await socket.cut();
    const { exit, json } = await deploy();
    expect(exit).toBe(4);
    expect(json.error).toMatchObject({
      code: "UNAVAILABLE",
      plane: "runtime",
      step: "apply:web",
      hint: expect.stringContaining("runtime: process"),
    });
    expect(json.error.message).toContain("the Docker Engine does not answer");
    await socket.open();
    await eventually("nothing is left", () => leftovers(plane), { holds: (left) => left.length === 0 });
    expect(await containers()).toEqual([]);
  });

  it("stopped in the middle: the old release goes on, and what was half made goes when Docker is back", async () => {
    expect((await deploy()).exit).toBe(0);
    await project.write("server.js", server("new"));
    // The container is made, and nobody hears of it.
    socket.cutAfter("/containers/create");
    const { exit, json } = await deploy();
    expect(exit).toBe(4);
    expect(json.error).toMatchObject({ code: "UNAVAILABLE", step: "apply:web" });
    expect(await containers()).toHaveLength(2);
    const { address } = (await plane.helix(["status"], { cwd: project.folder })).json.services[0];
    expect((await get(address)).text).toBe("old");
    await socket.open();
    await eventually("the half made container is gone", containers, { holds: (left) => left.length === 1, forMs: 30_000 });
    await expectUnharmed(plane, project);
    expect(await leftovers(plane)).toEqual([]);
    const again = await deploy();
    expect(again.exit, again.stderr).toBe(0);
    expect((await get(again.json.services[0].address)).text).toBe("new");
  });
});

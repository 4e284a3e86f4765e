import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { copyExample, get, makePlane, type Plane } from "./support/plane.ts";

// The examples, with their real packages and real builds, on one plane.

const hasDocker = await new Docker({ socketPath: "/var/run/docker.sock" }).ping().then(
  () => true,
  () => false,
);

type Address = { host: string; port: number };

let plane: Plane;
const folders: string[] = [];

beforeAll(async () => {
  plane = await makePlane();
});
afterAll(async () => {
  await plane.helix(["destroy", "--yes", "--with-data", "--environment", "on-docker"], { cwd: folders[0]! }).catch(() => undefined);
  await plane.remove();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function deploy(name: string, args: readonly string[] = []): Promise<{ folder: string; addresses: Record<string, Address> }> {
  const folder = await copyExample(name);
  folders.push(folder);
  return { folder, addresses: await deployFolder(folder, args) };
}

async function deployFolder(folder: string, args: readonly string[] = []): Promise<Record<string, Address>> {
  const { json, stderr } = await plane.helix(["deploy", ...args], { cwd: folder });
  expect(json.ok, `${JSON.stringify(json.error)}\n${stderr}`).toBe(true);
  return Object.fromEntries(json.services.map(({ name, address }: { name: string; address: Address }) => [name, address]));
}

const post = (address: Address, path: string, body: unknown) =>
  get(address, path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });

describe.for(["process", "docker"])("notes-api on %s", (runtime) => {
  const environment = ["--environment", `on-${runtime}`, "--runtime", runtime];

  it.skipIf(runtime === "docker" && !hasDocker)("keeps its notes over releases, and loses no request in the hand-over", async () => {
    const { folder, addresses } = await deploy("notes-api", environment);
    const api = addresses["api"]!;
    expect((await post(api, "/notes", { text: "milk" })).status).toBe(201);
    await writeFile(join(folder, "src", "changed.js"), "// a new release");
    const statuses = new Set<number | string>();
    let isOver = false;
    const reader = (async () => {
      while (!isOver)
        statuses.add(
          await get(api, "/notes").then(
            ({ status }) => status,
            (error: Error) => error.message,
          ),
        );
    })();
    expect(await deployFolder(folder, environment)).toEqual(addresses);
    isOver = true;
    await reader;
    expect([...statuses]).toEqual([200]);
    expect((await get(api, "/notes")).text).toContain("milk");
  });
});

it("vite-site: pages fall back, files do not, and nothing private is published", async () => {
  const { addresses } = await deploy("vite-site");
  const site = addresses["site"]!;
  expect(await get(site, "/")).toMatchObject({ status: 200, text: expect.stringContaining("<script") });
  expect(await get(site, "/about/us")).toMatchObject({ status: 200, text: expect.stringContaining("<script") });
  for (const path of ["/missing.js", "/helix.yaml", "/.env", "/package.json", "/..%2f..%2fetc/passwd"]) {
    expect((await get(site, path)).status, path).toBe(404);
  }
});

it("web-and-worker: one service is given the other's address", async () => {
  const { addresses } = await deploy("web-and-worker");
  expect(JSON.parse((await get(addresses["web"]!, "/primes?below=30")).text)).toMatchObject({
    primes: [2, 3, 5, 7, 11, 13, 17, 19, 23, 29],
  });
});

it.skipIf(!hasDocker)("docker: the address that a service is given works from a container too", async () => {
  const { addresses } = await deploy("web-and-worker", ["--environment", "on-docker", "--runtime", "docker"]);
  expect((await get(addresses["web"]!, "/primes?below=10")).text).toContain("7");
  await plane.helix(["destroy", "--yes", "--environment", "on-docker"], { cwd: folders.at(-1)! });
});

it("chat: a message goes through a WebSocket to another", async () => {
  const { addresses } = await deploy("chat");
  const { host, port } = addresses["chat"]!;
  const [ann, bob] = await Promise.all(["ann", "bob"].map((name) => open(`ws://${host}:${port}/ws?name=${name}`)));
  const heard = new Promise<string>((resolve) =>
    bob!.on("message", (data: Buffer) => data.toString().includes("good morning") && resolve(data.toString())),
  );
  ann!.send("good morning");
  expect(await heard).toContain("good morning");
  for (const socket of [ann, bob]) socket!.close();
});

function open(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  return new Promise((resolve, reject) => socket.once("open", () => resolve(socket)).once("error", reject));
}

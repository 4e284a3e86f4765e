import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { type World, home, makeWorld } from "./world.ts";

const EXAMPLES = fileURLToPath(new URL("../../../examples/", import.meta.url));
const SLOW = 120_000;
const worlds: World[] = [];
const running: ChildProcess[] = [];
const folders: string[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
  for (const world of worlds.splice(0)) world.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

interface Built {
  readonly folder: string;
  readonly start: readonly string[];
}

async function build(example: string): Promise<Built> {
  const world = makeWorld({ files: {} });
  worlds.push(world);
  cpSync(join(EXAMPLES, example), world.source, { recursive: true, filter: (path) => !path.includes("node_modules") });
  const { metadata } = await world.build();
  return { folder: world.output, start: metadata.start };
}

async function run({ folder, start }: Built, env: Record<string, string> = {}): Promise<{ url: string; child: ChildProcess }> {
  const port = await freePort();
  const child = spawn(start[0]!, start.slice(1), { cwd: folder, env: { PATH: process.env["PATH"], PORT: String(port), ...env } });
  running.push(child);
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(`${url}/health`).catch(() => null);
    if (answer !== null) return { url, child };
    await sleep(50);
  }
  throw new Error(`${folder} does not answer`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null) await once(child, "exit");
  return child.exitCode;
}

async function post(url: string, body: unknown): Promise<unknown> {
  const answer = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  return answer.json();
}

describe("notes-api", () => {
  it(
    "migrates once, keeps notes over a kill, and waits for its migration",
    async () => {
      const built = await build("notes-api");
      const data = mkdtempSync(join(tmpdir(), "helix-data-"));
      folders.push(data);
      const env = { DATA_DIR: data, LOG_LEVEL: "error" };
      const early = await run(built, env);
      expect((await fetch(`${early.url}/health`)).status).toBe(503);
      early.child.kill("SIGTERM");
      expect(await ended(early.child)).toBe(0);

      const migrate = () =>
        spawnSync("node", ["src/migrate.js"], { cwd: built.folder, env: { ...env, PATH: process.env["PATH"] }, encoding: "utf8" });
      expect(migrate().stdout).toContain("applied 002-done.sql");
      expect(migrate().stdout).toBe("the schema is at version 2, it was 2\n");

      const first = await run(built, env);
      expect((await fetch(`${first.url}/health`)).status).toBe(200);
      expect(await post(`${first.url}/notes`, { text: "milk" })).toMatchObject({ id: 1, text: "milk", done: false });
      expect((await fetch(`${first.url}/notes/99`)).status).toBe(404);
      first.child.kill("SIGKILL");
      await ended(first.child);
      const second = await run(built, env);
      expect(await (await fetch(`${second.url}/notes`)).json()).toMatchObject([{ id: 1, text: "milk" }]);
    },
    SLOW,
  );
});

describe("web-and-worker", () => {
  it(
    "hands work over, and says when the worker is away",
    async () => {
      const worker = await run(await build("web-and-worker/worker"));
      const web = await run(await build("web-and-worker/web"), { HELIX_SERVICE_WORKER_URL: worker.url });
      expect(await (await fetch(`${web.url}/primes?below=20`)).json()).toMatchObject({ primes: [2, 3, 5, 7, 11, 13, 17, 19] });
      expect((await fetch(`${web.url}/primes?below=x`)).status).toBe(400);
      worker.child.kill("SIGTERM");
      expect(await ended(worker.child)).toBe(0);
      expect((await fetch(`${web.url}/primes`)).status).toBe(502);
    },
    SLOW,
  );
});

describe("chat", () => {
  it(
    "brings what one says to all, and resumes a reader's stream",
    async () => {
      const { url, child } = await run(await build("chat"));
      const socket = new WebSocket(url.replace("http", "ws") + "/ws");
      await once(socket, "open");
      const heard = once(socket, "message");
      await fetch(`${url}/messages`, { method: "POST", body: "hello" });
      expect(JSON.parse(String((await heard)[0]))).toMatchObject({ id: 1, text: "hello" });
      const reply = once(socket, "message");
      socket.send("good day");
      await reply;
      const stream = await fetch(`${url}/events`, { headers: { "last-event-id": "1" } });
      const text = new TextDecoder();
      let read = "";
      for await (const chunk of stream.body!) if ((read += text.decode(chunk)).includes("data:")) break;
      expect(read).toContain("good day");
      expect(read).not.toContain("hello");
      const closed = once(socket, "close");
      child.kill("SIGTERM");
      expect((await closed)[0]).toBe(1001);
      expect(await ended(child)).toBe(0);
    },
    SLOW,
  );
});

describe("observatory", () => {
  it(
    "shows what it is shown",
    async () => {
      const built = await build("observatory");
      const { url, child } = await run(built, { GREETING: "hello", DATA_DIR: built.folder });
      const json = async (path: string, init?: RequestInit) => (await (await fetch(url + path, init)).json()) as Record<string, any>;
      const sent = await json("/echo?a=1&a=2", { method: "PUT", body: "abc" });
      expect(sent).toMatchObject({
        method: "PUT",
        url: "/echo?a=1&a=2",
        query: [
          ["a", "1"],
          ["a", "2"],
        ],
        body: { length: 3 },
      });
      expect(sent.body.sha256).toMatch(/^ba7816bf/);
      expect(await json("/env?name=GREETING")).toEqual({ GREETING: "hello" });
      expect(await json("/write/note", { method: "POST", body: "x" })).toMatchObject({ content: "x" });
      expect(await json("/data/note")).toMatchObject({ content: "x" });
      expect((await fetch(`${url}/cookies`)).headers.getSetCookie()).toHaveLength(2);
      expect((await fetch(`${url}/status/418`)).status).toBe(418);
      expect((await fetch(`${url}/redirect?to=/who`, { redirect: "manual" })).headers.get("location")).toBe("/who");
      expect(await (await fetch(`${url}/stream?ms=1`)).text()).toBe("chunk 1\nchunk 2\nchunk 3\n");
      expect(await (await fetch(`${url}/sse?ms=1`, { headers: { "last-event-id": "2" } })).text()).toBe('id: 3\ndata: {"n":3}\n\n');
      expect((await (await fetch(`${url}/big?bytes=300000`)).arrayBuffer()).byteLength).toBe(300_000);
      const inFlight = fetch(`${url}/slow?ms=400`);
      await sleep(100);
      child.kill("SIGTERM");
      expect((await inFlight).status).toBe(200);
      expect(await ended(child)).toBe(0);
    },
    SLOW,
  );

  it.each([5, 200, 70_000])("sends back a frame of %i bytes", async (length) => {
    const { url } = await run(await build("observatory"));
    const socket = new WebSocket(url.replace("http", "ws") + "/ws");
    await once(socket, "open");
    const sent = Buffer.from(Array.from({ length }, (_, n) => n % 256));
    const back = once(socket, "message");
    socket.send(sent);
    expect((await back)[0]).toEqual(sent);
    const closed = once(socket, "close");
    socket.close(1000);
    expect((await closed)[0]).toBe(1000);
  });

  it("crashes and exits as it is asked", async () => {
    const built = await build("observatory");
    const first = await run(built);
    await fetch(`${first.url}/crash`).catch(() => null);
    expect(await ended(first.child)).toBe(1);
    const second = await run(built);
    expect(await (await fetch(`${second.url}/exit?code=7`)).json()).toEqual({ code: 7 });
    expect(await ended(second.child)).toBe(7);
  });
});

import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Secret } from "@helixstack/sdk";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runtime } from "../src/runtime.ts";
import { ensureSecrets, secretsFolder } from "../src/secrets.ts";
import { makeWorld, specOf, type World } from "./world.ts";

const IMAGE = {
  kind: "oci-image",
  digest: `sha256:${"0".repeat(64)}`,
  uri: "docker-image:x",
  metadata: { user: "", sizeBytes: 1, base: [] },
} as const;

let folder: string;
let server: Server;
let world: World;
/** Rejections that nobody waited for: one of them ends the process that all calls share. */
let stray: unknown[];
const note = (reason: unknown): void => void stray.push(reason);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "helix-engine-"));
  world = await makeWorld();
  stray = [];
  process.on("unhandledRejection", note);
});
afterEach(() => {
  process.off("unhandledRejection", note);
  server?.closeAllConnections();
  server?.close();
  for (const one of [folder, world.folder]) rmSync(one, { recursive: true, force: true });
});

type Answer = (response: ServerResponse) => void;
const json =
  (body: unknown, status = 200): Answer =>
  (response) =>
    void response.writeHead(status).end(JSON.stringify(body));

/** A Docker Engine that answers as it is told: a real one does not fail at just that moment. */
async function engineThat(answers: Readonly<Record<string, Answer>>): Promise<string> {
  const socket = join(folder, "docker.sock");
  server = createServer((request, response) => {
    const path = request.url!.split("?")[0]!;
    const way = Object.keys(answers).find((one) => `${request.method} ${path} ${request.url}`.includes(one));
    (way === undefined ? json({ message: "no such thing" }, 404) : answers[way]!)(response);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return socket;
}

it("a container whose log cannot be opened ends no reading", async () => {
  const socket = await engineThat({
    "GET /containers/json": json([{ Id: "c1", Names: ["/web-0"], State: "running", Labels: {} }]),
    "follow=true": json({ message: "it is gone" }, 500),
    "GET /containers/c1/logs": (response) => void response.end(),
  });
  const ctx = await world.context("rev_1");
  const stop = new AbortController();
  const reading = runtime.logs!(
    { ...ctx, config: { ...ctx.config, socket }, signal: stop.signal },
    { prior: null, follow: true, tail: 0, after: null },
  )
    [Symbol.asyncIterator]()
    .next();
  await sleep(300);
  stop.abort();
  expect(await reading).toMatchObject({ done: true });
  expect(stray).toEqual([]);
  expect(world.lines.join()).toContain("broke off");
});

it("a task that cannot be started fails, and its broken output fails nothing else", async () => {
  let output: ServerResponse | null = null;
  const socket = await engineThat({
    "GET /images/x/json": json({}),
    "GET /networks/": json({ IPAM: { Config: [{ Subnet: "10.1.2.0/24" }] } }),
    "POST /containers/create": json({ Id: "c1" }, 201),
    "POST /containers/c1/attach": (response) => {
      output = response;
      response.flushHeaders();
    },
    "POST /containers/c1/start": (response) => {
      output!.socket!.destroy();
      setTimeout(() => json({ message: "no such program" }, 500)(response), 100);
    },
    "DELETE /containers/c1": json({}, 204),
  });
  const ctx = await world.context("rev_1");
  const running = runtime.run!(
    { ...ctx, config: { ...ctx.config, socket } },
    { spec: specOf(IMAGE.uri, { artifact: IMAGE }), name: "migrate", command: ["x"] },
  );
  await expect(running).rejects.toMatchObject({ message: expect.stringContaining("no such program") });
  await sleep(50);
  expect(stray).toEqual([]);
});

it("puts no secrets into a folder that somebody else has made ready", async () => {
  const ctx = await world.context("rev_1", { resolve: async () => new Secret("value") });
  const memory = dirname(await secretsFolder(ctx, "web-0"));
  mkdirSync(memory);
  chmodSync(memory, 0o777);
  try {
    const spec = specOf(IMAGE.uri, { artifact: IMAGE, secrets: [{ ref: { name: "KEY", version: "1" }, as: "file" }] });
    await expect(ensureSecrets(ctx, { spec, name: "web-0" })).rejects.toMatchObject({ code: "FOREIGN_RESOURCE" });
    expect(readdirSync(memory)).toEqual([]);
  } finally {
    rmSync(memory, { recursive: true });
  }
});

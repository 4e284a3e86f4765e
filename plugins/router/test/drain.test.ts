import { request } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { GOING_AWAY } from "../src/data-plane/ws-frames.ts";
import { delivery } from "../src/delivery.ts";
import {
  HOST,
  type Upstream,
  type World,
  get,
  makeRawUpstream,
  makeUpstream,
  makeWebSocketServer,
  makeWorld,
  target,
  until,
} from "./world.ts";

const WEBSOCKET =
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

let world: World;
let fresh: Upstream;

beforeAll(async () => {
  world = await makeWorld();
  fresh = await makeUpstream((_req, res) => void res.end("new"));
});

afterAll(async () => {
  await fresh.close();
  await world.stop();
});

async function drain(revisions: readonly string[], timeoutMs: number): Promise<{ closed: number; waitedMs: number }> {
  return (await delivery.drain?.(world.ctx(), { revisions, timeoutMs })) ?? { closed: -1, waitedMs: -1 };
}

async function serve(port: number, revision: string): Promise<number> {
  const observed = await world.apply([{ targets: [target(port, { revision })] }]);
  return observed.addresses[0]?.address.port ?? 0;
}

describe("a drain", () => {
  it("closes what is left when the time is over, and says how much", async () => {
    const stuck = await makeUpstream(() => undefined);
    const port = await serve(stuck.port, "stuck-1");
    const answers = [get(port), get(port)];
    await until(() => stuck.seen.length === 2);
    await serve(fresh.port, "new");
    const drained = await drain(["stuck-1"], 300);
    expect(drained.closed).toBe(2);
    for (const answer of await Promise.all(answers)) expect(answer.status).toBe(503);
    expect((await world.client.stats()).find(({ revision }) => revision === "stuck-1")?.inFlight ?? 0).toBe(0);
    await stuck.close();
  });

  it("tells a WebSocket to go, between two frames, at the start", async () => {
    const { server, port: own } = await makeWebSocketServer();
    const closes: number[] = [];
    server.on("connection", (socket) => {
      const timer = setInterval(() => socket.send("x".repeat(70_000)), 5);
      socket.on("message", (text: Buffer) => socket.send(`echo ${text.toString()}`));
      socket.on("close", (code) => {
        clearInterval(timer);
        closes.push(code);
      });
    });
    const port = await serve(own, "ws-1");
    const client = new WebSocket(`ws://127.0.0.1:${port}/chat`, { headers: { host: HOST } });
    const errors: unknown[] = [];
    const texts: string[] = [];
    client.on("error", (error) => errors.push(error));
    client.on("message", (text: Buffer) => texts.push(text.toString()));
    const closed = new Promise<number>((resolve) => client.on("close", resolve));
    await new Promise((resolve) => client.on("open", resolve));
    client.send("hello");
    await until(() => texts.includes("echo hello") && texts.length > 3);
    await serve(fresh.port, "new");
    expect(await drain(["ws-1"], 8000)).toMatchObject({ closed: 0 });
    expect(await closed).toBe(1001);
    expect(errors).toEqual([]);
    await until(() => closes.length === 1);
    expect(closes).toEqual([1001]);
    server.close();
  });

  it("ends server-sent events between two events", async () => {
    const events = await makeUpstream((_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      const timer = setInterval(() => {
        res.write("data: one\n");
        setTimeout(() => res.write("data: two\n\n"), 10);
      }, 40);
      res.on("close", () => clearInterval(timer));
    });
    const port = await serve(events.port, "sse-1");
    const got: string[] = [];
    const ended = new Promise<boolean>((resolve) => {
      request({ host: "127.0.0.1", port, headers: { host: HOST } }, (answer) => {
        answer.on("data", (chunk: Buffer) => got.push(chunk.toString()));
        answer.on("end", () => resolve(answer.complete));
        answer.on("error", () => resolve(false));
      }).end();
    });
    await until(() => got.length > 3);
    await serve(fresh.port, "new");
    expect(await drain(["sse-1"], 5000)).toMatchObject({ closed: 0 });
    expect(await ended).toBe(true);
    const text = got.join("");
    expect(text.endsWith("data: one\ndata: two\n\n")).toBe(true);
    expect(text.replaceAll("data: one\ndata: two\n\n", "")).toBe("");
    await events.close();
  });

  it("finishes a frame or an event that is half sent before it says so", async () => {
    const frame = Buffer.from([0x82, 4, 1, 2, 3, 4]);
    const upgraded = "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    const streamed = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    const cases = [
      {
        ask: WEBSOCKET,
        first: [upgraded, frame.subarray(0, 3)],
        rest: Buffer.concat([frame.subarray(3), frame.subarray(0, 3)]),
        end: Buffer.concat([frame, GOING_AWAY]),
      },
      { ask: "\r\n", first: [streamed, "data: 1"], rest: Buffer.from("\n\ndata: 2"), end: Buffer.from("2\r\n\n\n\r\n0\r\n\r\n") },
    ];
    for (const { ask, first, rest, end } of cases) {
      let speak = (): unknown => undefined;
      const upstream = await makeRawUpstream((socket) => {
        if (socket.bytesWritten > 0) return;
        for (const part of first) socket.write(part);
        speak = () => socket.write(rest);
      });
      const port = await serve(upstream.port, `half-${upstream.port}`);
      const socket = connect(port, "127.0.0.1");
      const chunks: Buffer[] = [];
      socket.on("data", (chunk) => chunks.push(chunk));
      socket.on("error", () => undefined);
      socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n${ask}`);
      const last = first[1] as string | Buffer;
      await until(() => Buffer.concat(chunks).includes(last));
      await serve(fresh.port, "new");
      const draining = drain([`half-${upstream.port}`], 500);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(Buffer.concat(chunks).includes(GOING_AWAY)).toBe(false);
      speak();
      await draining;
      expect(Buffer.concat(chunks).subarray(-end.length).toString("latin1")).toBe(end.toString("latin1"));
      socket.destroy();
      upstream.close();
    }
  });

  it("cuts a WebSocket whose client does not answer the close", async () => {
    const { server, port: own } = await makeWebSocketServer();
    const port = await serve(own, "ws-2");
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    const isClosed = new Promise((resolve) => socket.on("close", resolve));
    socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n${WEBSOCKET}`);
    await new Promise((resolve) => socket.once("data", resolve));
    await serve(fresh.port, "new");
    expect(await drain(["ws-2"], 300)).toMatchObject({ closed: 1 });
    await isClosed;
    server.close();
  });
});

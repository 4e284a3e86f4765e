import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket, type WebSocketServer } from "ws";
import { FrameTracker } from "../src/data-plane/ws-frames.ts";
import { HOST, type World, get, makeRawUpstream, makeUpstream, makeWebSocketServer, makeWorld, raw, target, until } from "./world.ts";

const ASK = `Host: ${HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;

let world: World;
let server: WebSocketServer;
let own = 0;

beforeAll(async () => {
  world = await makeWorld();
  ({ server, port: own } = await makeWebSocketServer());
  server.on("connection", (socket, req) => {
    socket.send(JSON.stringify(req.headers));
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
});

afterAll(async () => {
  server.close();
  await world.stop();
});

async function serve(...ports: readonly number[]): Promise<number> {
  const observed = await world.apply([{ targets: ports.map((port) => target(port)) }]);
  return observed.addresses[0]?.address.port ?? 0;
}

describe("a WebSocket", () => {
  it("goes through, with text and large binary messages, and counts as in flight", async () => {
    const port = await serve(own);
    const client = new WebSocket(`ws://127.0.0.1:${port}/x`, ["chat"], { headers: { host: HOST } });
    const messages: Buffer[] = [];
    client.on("message", (data: Buffer) => messages.push(data));
    await once(client, "open");
    const big = Buffer.alloc(5_000_000, 9);
    client.send("hello");
    client.send(big);
    await until(() => messages.length === 3, 5000);
    expect(JSON.parse(String(messages[0]))).toMatchObject({ host: HOST, "x-forwarded-for": "127.0.0.1" });
    expect(String(messages[1])).toBe("hello");
    expect(messages[2]?.equals(big)).toBe(true);
    const inFlight = async (): Promise<number> =>
      (await world.client.stats()).find(({ revision }) => revision === `rev-${own}`)?.inFlight ?? 0;
    expect(await inFlight()).toBe(1);
    client.close(4001, "bye");
    expect((await once(client, "close"))[0]).toBe(4001);
    await until(async () => (await inFlight()) === 0);
  });

  it("survives a switch", async () => {
    const port = await serve(own);
    const client = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: HOST } });
    const messages: string[] = [];
    client.on("message", (data: Buffer) => messages.push(data.toString()));
    await once(client, "open");
    const other = await makeUpstream((_req, res) => void res.end("other"));
    await serve(other.port);
    client.send("still there");
    await until(() => messages.includes("still there"));
    expect((await get(port)).body).toBe("other");
    client.terminate();
    await other.close();
  });

  it("goes to another target when one refuses the connection, and is held while there is none", async () => {
    const port = await serve(9, own);
    const client = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: HOST } });
    await once(client, "open");
    client.terminate();
    await world.apply([{ holdMs: 5000 }]);
    const held = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: HOST } });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await serve(own);
    await once(held, "open");
    held.terminate();
  });

  it("that the application refuses is answered as the application says", async () => {
    const app = await makeUpstream((_req, res) => void res.writeHead(401, { "x-why": "no" }).end("who are you"));
    const { text, isClosed } = await raw(await serve(app.port), `GET / HTTP/1.1\r\n${ASK}`);
    expect(text).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
    expect(text).toContain("x-why: no");
    expect(text).toContain("who are you");
    expect(isClosed).toBe(true);
    await app.close();
  });

  it("to nobody, or to one that answers nonsense, is told so", async () => {
    await world.apply([{}]);
    const observed = await world.apply([{}]);
    expect((await raw(observed.addresses[0]?.address.port ?? 0, `GET / HTTP/1.1\r\n${ASK}`)).text).toMatch(/^HTTP\/1\.1 503/);
    const upstream = await makeRawUpstream((socket) => socket.write("HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n"));
    expect((await raw(await serve(upstream.port), `GET / HTTP/1.1\r\n${ASK}`)).text).toMatch(/^HTTP\/1\.1 502/);
    upstream.close();
  });

  it("gets what was sent right behind its head, and the last words of a target that closes", async () => {
    const got: Buffer[] = [];
    const upstream = await makeRawUpstream((socket, bytes) => {
      got.push(bytes);
      if (got.length === 1) socket.write("HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst");
      if (Buffer.concat(got).includes("early")) socket.end("last words");
    });
    const port = await serve(upstream.port);
    const socket = connect(port, "127.0.0.1");
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString("latin1")));
    socket.write(`GET / HTTP/1.1\r\n${ASK}early`);
    await once(socket, "close");
    expect(text).toContain("\r\n\r\nfirst");
    upstream.close();
  });
});

describe("the frame tracker", () => {
  it("finds the end of frames of all three sizes, in chunks of any size", () => {
    const frame = (payload: number): Buffer => {
      const head =
        payload < 126
          ? [0x82, payload]
          : payload < 65_536
            ? [0x82, 126, payload >> 8, payload & 255]
            : [0x82, 127, 0, 0, 0, 0, 0, payload >> 16, (payload >> 8) & 255, payload & 255];
      return Buffer.concat([Buffer.from(head), Buffer.alloc(payload, 0x81)]);
    };
    const frames = [0, 5, 125, 126, 300, 65_535, 65_536, 70_000].map(frame);
    for (const size of [1, 2, 3, 7, 1000, 1_000_000]) {
      const tracker = new FrameTracker();
      const bytes = Buffer.concat(frames);
      for (let at = 0; at < bytes.length; at += size) tracker.advance(bytes.subarray(at, at + size), false);
      expect(tracker.isBetweenFrames).toBe(true);
    }
    const tracker = new FrameTracker();
    const [first, second] = [frame(300), frame(5)];
    tracker.advance(first.subarray(0, 100), false);
    expect(tracker.isBetweenFrames).toBe(false);
    expect(tracker.advance(Buffer.concat([first.subarray(100), second]), true)).toBe(first.length - 100);
  });
});

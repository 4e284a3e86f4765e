import { type Server, type Socket, createServer } from "node:net";
import { type AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { retryOf } from "../src/data-plane/retry.ts";
import { HOST, type World, get, makeRawUpstream, makeUpstream, makeWorld, raw, target } from "./world.ts";

let world: World;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  world = await makeWorld({ limits: { responseTimeoutMs: 1000, connectTimeoutMs: 500 } });
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
afterAll(async () => world.stop());

async function deadPort(): Promise<number> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function serve(...ports: readonly number[]): Promise<number> {
  const observed = await world.apply([{ targets: ports.map((port) => target(port)) }]);
  return observed.addresses[0]?.address.port ?? 0;
}

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** Answers the first request of each connection, and closes at the second without a word, as a server does whose patience just ended. */
async function closingAtSecond(): Promise<{ port: number; requests: string[] }> {
  const requests: string[] = [];
  const counts = new WeakMap<Socket, number>();
  const upstream = await makeRawUpstream((socket, bytes) => {
    requests.push(bytes.toString().split("\r\n")[0] ?? "");
    const count = (counts.get(socket) ?? 0) + 1;
    counts.set(socket, count);
    if (count === 1) socket.write(OK);
    else socket.destroy();
  });
  closers.push(upstream.close);
  return { port: upstream.port, requests };
}

describe("a request is sent again", () => {
  it("elsewhere when its target refuses the connection, whatever its method, body and all", async () => {
    const app = await makeUpstream((req, res) => {
      let body = "";
      req.on("data", (chunk: Buffer) => (body += chunk.toString()));
      req.on("end", () => res.end(`${req.method} ${body}`));
    });
    closers.push(app.close);
    const port = await serve(await deadPort(), app.port, await deadPort());
    for (let i = 0; i < 6; i += 1) {
      expect(await get(port, { method: "POST", body: "hello" })).toMatchObject({ status: 200, body: "POST hello" });
      expect(await get(port)).toMatchObject({ status: 200, body: "GET " });
    }
  });

  it("on a fresh connection when a kept one was closed, if twice is the same as once", async () => {
    const upstream = await closingAtSecond();
    const port = await serve(upstream.port);
    expect((await get(port)).status).toBe(200);
    expect((await get(port)).status).toBe(200);
    expect(upstream.requests).toHaveLength(3);
    expect((await get(port, { method: "DELETE", path: "/d" })).status).toBe(200);
  });

  it("never when it is not idempotent or has a body", async () => {
    for (const sent of [{ method: "POST" }, { method: "PATCH" }, { method: "PUT", body: "x" }]) {
      const upstream = await closingAtSecond();
      const port = await serve(upstream.port);
      expect((await get(port)).status).toBe(200);
      expect((await get(port, { ...sent, path: "/once" })).status).toBe(502);
      expect(upstream.requests.filter((line) => line.includes("/once"))).toHaveLength(1);
    }
  });

  it("never when an answer had begun", async () => {
    const lines: string[] = [];
    const counts = new WeakMap<Socket, number>();
    const upstream = await makeRawUpstream((socket, bytes) => {
      lines.push(bytes.toString());
      const count = (counts.get(socket) ?? 0) + 1;
      counts.set(socket, count);
      if (count === 1) socket.write(OK);
      else socket.end("HTTP/1.1 2");
    });
    closers.push(upstream.close);
    const port = await serve(upstream.port);
    expect((await get(port)).status).toBe(200);
    expect((await get(port)).status).toBe(502);
    expect(lines).toHaveLength(2);
  });

  it("never on a fresh connection that was closed", async () => {
    let count = 0;
    const upstream = await makeRawUpstream((socket) => {
      count += 1;
      socket.destroy();
    });
    closers.push(upstream.close);
    expect((await get(await serve(upstream.port))).status).toBe(502);
    expect(count).toBe(1);
  });

  it("only as the table of rules says", () => {
    const base = {
      method: "GET",
      isSent: true,
      isAnswered: false,
      isReused: true,
      isBodyTaken: false,
      isTimeout: false,
      wasRepeated: false,
    };
    expect(retryOf(base)).toBe("again");
    expect(retryOf({ ...base, method: "POST" })).toBe("no");
    expect(retryOf({ ...base, isReused: false })).toBe("no");
    expect(retryOf({ ...base, isTimeout: true })).toBe("no");
    expect(retryOf({ ...base, wasRepeated: true })).toBe("no");
    expect(retryOf({ ...base, isAnswered: true })).toBe("no");
    expect(retryOf({ ...base, isSent: false, method: "POST" })).toBe("elsewhere");
    expect(retryOf({ ...base, isSent: false, isBodyTaken: true })).toBe("no");
  });
});

describe("a target that fails", () => {
  it("and is the only one gives 502, and is counted", async () => {
    const dead = await deadPort();
    const port = await serve(dead);
    const answer = await get(port);
    expect(answer.status).toBe(502);
    expect(answer.body).toContain("ECONNREFUSED");
    expect((await world.client.stats()).find(({ revision }) => revision === `rev-${dead}`)).toMatchObject({
      requests: 1,
      failures: 1,
      inFlight: 0,
    });
  });

  it("to answer in time gives 504", async () => {
    const upstream = await makeRawUpstream(() => undefined);
    closers.push(upstream.close);
    expect((await get(await serve(upstream.port))).status).toBe(504);
  });

  const BAD = [
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["two different lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!"],
    ["a length that is none", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nok"],
    ["a folded header", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok"],
    ["a NUL in a header", "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok"],
    ["a bare CR in a header", "HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: evil=1\r\nContent-Length: 2\r\n\r\nok"],
    ["no HTTP", "hello\r\n\r\n"],
    ["an upgrade that nobody asked for", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"],
  ] as const;

  it.each(BAD)("with %s gives 502", async (_name, bytes) => {
    const upstream = await makeRawUpstream((socket) => socket.write(bytes));
    closers.push(upstream.close);
    expect((await get(await serve(upstream.port))).status).toBe(502);
  });

  it("in the middle of its answer breaks the client's connection, so that half is not taken for all", async () => {
    for (const head of ["Content-Length: 100\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"]) {
      const upstream = await makeRawUpstream((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${head}`);
        setTimeout(() => socket.destroy(), 50);
      });
      closers.push(upstream.close);
      const { text, isClosed } = await raw(await serve(upstream.port), `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
      expect(isClosed).toBe(true);
      expect(text).toContain("half");
      expect(text.endsWith("0\r\n\r\n")).toBe(false);
    }
  });

  it("to keep to itself what the next request should not get", async () => {
    const upstream = await makeRawUpstream((socket) => socket.write(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`));
    closers.push(upstream.close);
    const port = await serve(upstream.port);
    for (let i = 0; i < 10; i += 1) expect(await get(port)).toMatchObject({ status: 200, body: "ok" });
  });
});

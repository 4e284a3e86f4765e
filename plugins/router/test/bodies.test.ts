import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HOST, type Upstream, type World, get, makeUpstream, makeWorld, raw, target, until } from "./world.ts";

const MIB = 1024 * 1024;

let world: World;
let web: Upstream;
let port = 0;
let aborted = 0;
let partsEnded = 0;

beforeAll(async () => {
  world = await makeWorld({ limits: { bodyBytes: 300 * MIB, bodyIdleTimeoutMs: 600 } });
  web = await makeUpstream((req, res) => {
    req.on("error", () => undefined);
    res.on("close", () => (aborted += res.writableFinished ? 0 : 1));
    const url = new URL(req.url ?? "", "http://x");
    if (url.pathname === "/download") {
      let left = Number(url.searchParams.get("mib"));
      res.writeHead(200, { "content-type": "application/octet-stream" });
      const more = (): void => {
        while (left > 0) {
          left -= 1;
          if (!res.write(Buffer.alloc(MIB, left))) return void res.once("drain", more);
        }
        res.end();
      };
      return more();
    }
    if (url.pathname === "/slow-reader") return void setTimeout(() => count(), 2000);
    if (url.pathname === "/early") return void res.writeHead(403).end("no");
    if (url.pathname === "/never") return;
    if (url.pathname === "/parts") {
      res.write("one");
      return void setTimeout(() => {
        partsEnded += 1;
        res.end("two");
      }, 400);
    }
    if (url.pathname === "/304") return void res.writeHead(304, { etag: '"x"' }).end();
    if (url.pathname === "/204") return void res.writeHead(204).end();
    if (url.pathname === "/redirect") return void res.writeHead(302, { location: "/there" }).end();
    if (url.pathname === "/hints") res.writeEarlyHints({ link: "</a.css>; rel=preload" });
    count();
    function count(): void {
      let size = 0;
      req.on("data", (chunk: Buffer) => (size += chunk.length));
      req.on("end", () => res.setHeader("content-length", String(size).length).end(String(size)));
    }
  });
  const observed = await world.apply([{ targets: [target(web.port)] }]);
  port = observed.addresses[0]?.address.port ?? 0;
});

afterAll(async () => {
  await web.close();
  await world.stop();
});

function rss(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${world.pid()}/status`, "utf8"))?.[1]) * 1024;
}

/** Uploads from a source that never waits by itself. */
async function upload(path: string, options: { mib: number; headers?: Record<string, string> }): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: "127.0.0.1", port, path, method: "POST", agent: false, headers: { host: HOST, ...options.headers } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => {
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
          sent.destroy();
        });
      },
    );
    sent.on("error", reject);
    let left = options.mib;
    const chunk = Buffer.alloc(MIB, 7);
    const more = (): void => {
      while (left > 0) {
        left -= 1;
        if (!sent.write(chunk)) return void sent.once("drain", more);
      }
      sent.end();
    };
    more();
  });
}

describe("bodies", () => {
  it("of any size go through in both directions, with bounded memory", async () => {
    const before = rss();
    let highest = 0;
    const watch = setInterval(() => (highest = Math.max(highest, rss())), 20);
    expect(await upload("/slow-reader", { mib: 200 })).toEqual({ status: 200, body: String(200 * MIB) });
    expect(await upload("/", { mib: 20, headers: { "content-length": String(20 * MIB) } })).toMatchObject({ body: String(20 * MIB) });
    const size = await new Promise<number>((resolve, reject) => {
      request({ host: "127.0.0.1", port, path: "/download?mib=200", headers: { host: HOST } }, (answer) => {
        let got = 0;
        // A client that is slow to begin.
        void sleep(500).then(() => answer.on("data", (chunk: Buffer) => (got += chunk.length)));
        answer.on("end", () => resolve(got));
        answer.on("error", reject);
      }).end();
    });
    clearInterval(watch);
    expect(size).toBe(200 * MIB);
    expect(highest - before).toBeLessThan(90 * MIB);
  });

  it("that are said to be too large are refused before they are read", async () => {
    const begun = web.seen.length;
    const { status, body } = await upload("/", { mib: 4, headers: { "content-length": String(2048 * MIB) } });
    expect(status).toBe(413);
    expect(body).toContain("limit");
    expect(web.seen.length).toBe(begun);
  });

  it("that turn out to be too large are cut off with an answer", async () => {
    expect((await upload("/", { mib: 320 })).status).toBe(413);
  });

  it("are asked for with 100-continue only when a target takes them", async () => {
    const head = `POST / HTTP/1.1\r\nHost: ${HOST}\r\nExpect: 100-continue\r\nContent-Length: `;
    const socket = connect(port, "127.0.0.1");
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.write(`${head}5\r\n\r\n`);
    await until(() => text.startsWith("HTTP/1.1 100 Continue\r\n\r\n"));
    socket.write("hello");
    await until(() => text.endsWith("\r\n\r\n5"));
    socket.destroy();
    const refused = await raw(port, `${head}${2048 * MIB}\r\n\r\n`);
    expect(refused.text).toMatch(/^HTTP\/1\.1 413/);
    expect(refused.isClosed).toBe(true);
  });

  it("that stop coming are given up with 408", async () => {
    const { text, isClosed } = await raw(port, `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 10\r\n\r\nabc`, 6000);
    expect(text).toMatch(/^HTTP\/1\.1 408/);
    expect(isClosed).toBe(true);
  });

  it("that the target does not want to read do not hide its answer", async () => {
    expect(await upload("/early", { mib: 8 })).toEqual({ status: 403, body: "no" });
  });
});

describe("answers", () => {
  it("are passed on as they come", async () => {
    const before = partsEnded;
    const endedAtFirst = await new Promise<number>((resolve) => {
      request({ host: "127.0.0.1", port, path: "/parts", headers: { host: HOST } }, (answer) => {
        answer.once("data", () => resolve(partsEnded));
        answer.resume();
      }).end();
    });
    expect(endedAtFirst).toBe(before);
    await until(() => partsEnded === before + 1);
  });

  it("without a body have none, and redirects are the client's business", async () => {
    expect(await get(port, { path: "/304" })).toMatchObject({ status: 304, body: "", headers: { etag: '"x"' } });
    expect(await get(port, { path: "/204" })).toMatchObject({ status: 204, body: "" });
    expect(await get(port, { path: "/redirect" })).toMatchObject({ status: 302, headers: { location: "/there" } });
    const head = await raw(port, `HEAD / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`);
    expect(head.text).toMatch(/^HTTP\/1\.1 200[\s\S]*content-length: 1\r\n[\s\S]*\r\n\r\n$/i);
  });

  it("to HTTP/1.0 end with the connection and are not chunked", async () => {
    const { text, isClosed } = await raw(port, `GET /parts HTTP/1.0\r\n\r\n`);
    expect(isClosed).toBe(true);
    expect(text.toLowerCase()).not.toContain("chunked");
    expect(text.endsWith("\r\n\r\nonetwo")).toBe(true);
  });

  it("may be announced by early hints", async () => {
    const { text } = await raw(port, `GET /hints HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });

  it("to pipelined requests come in order", async () => {
    const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
    const many = Array.from({ length: 200 }, (_, i) => ask(`/${i}`)).join("");
    const begun = web.seen.length;
    const { text } = await raw(port, ask("/parts") + many, 2500);
    expect(text.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(201);
    expect(text.indexOf("two")).toBeLessThan(text.lastIndexOf("HTTP/1.1 200"));
    expect(web.seen.slice(begun + 1).map(({ url }) => url)).toEqual(Array.from({ length: 200 }, (_, i) => `/${i}`));
  });

  it("reach a client that closed its sending side, if they come soon", async () => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString()));
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.end(`GET /parts HTTP/1.1\r\nHost: a\r\n\r\n`);
    await closed;
    expect(text).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*one[\s\S]*two[\s\S]*\r\n0\r\n\r\n$/);
  });

  it("are no longer made when the client has left", async () => {
    const before = aborted;
    const begun = web.seen.length;
    await raw(port, `GET /never HTTP/1.1\r\nHost: a\r\n\r\n`, 100);
    await until(() => aborted === before + 1);
    expect(web.seen.length).toBe(begun + 1);
    await until(async () => (await world.client.stats()).every(({ inFlight }) => inFlight === 0));
  });
});

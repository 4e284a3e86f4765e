import { createHash } from "node:crypto";
import { request } from "node:http";
import { Readable } from "node:stream";
import type { Digest } from "@helixstack/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EngineError } from "../../src/domain/errors.ts";
import { type TestPostgres, startPostgres } from "../support/postgres.ts";
import { type TestServer, startServer } from "./server.ts";

let postgres: TestPostgres;
let server: TestServer;
let url: string;
beforeAll(async () => {
  postgres = await startPostgres();
  server = await startServer(postgres);
  url = await server.listen();
});
afterAll(async () => {
  await server.close();
  await postgres.stop();
});

const OCTETS = { "content-type": "application/octet-stream" };
const BLOBS = { "content-type": "application/vnd.helix.blobs" };
const LIMIT = 1024 * 1024;

function digestOf(content: string | Buffer): Digest {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

function frames(...contents: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    contents.flatMap((content) => [Buffer.from(`${digestOf(content)} ${Buffer.byteLength(content)}\n`), Buffer.from(content)]),
  );
}

async function missing(...contents: readonly (string | Buffer)[]): Promise<number> {
  return (await server.call("POST", "/v1/snapshots/missing", { body: { digests: contents.map(digestOf) } })).json.missing.length;
}

describe("contents", () => {
  it("are asked for, sent, and then not asked for any more", async () => {
    expect(await missing("one", "one")).toBe(1);
    const put = await server.call("PUT", `/v1/blobs/${digestOf("one")}`, { payload: "one", headers: OCTETS });
    expect(put.status).toBe(204);
    expect(await missing("one")).toBe(0);
  });

  it("may be empty", async () => {
    expect((await server.call("PUT", `/v1/blobs/${digestOf("")}`, { payload: "", headers: OCTETS })).status).toBe(204);
    expect((await server.call("PUT", `/v1/blobs/${digestOf("")}`)).status).toBe(204);
    expect(await missing("")).toBe(0);
  });

  it("must be what their digest says", async () => {
    const answer = await server.call("PUT", `/v1/blobs/${digestOf("right")}`, { payload: "wrong", headers: OCTETS });
    expect(answer).toMatchObject({ status: 422, json: { code: "SOURCE_INVALID" } });
    expect(await missing("right")).toBe(1);
    expect(await server.call("PUT", "/v1/blobs/sha256:abc", { payload: "x", headers: OCTETS })).toMatchObject({
      status: 400,
      json: { code: "USAGE" },
    });
  });

  it("travel together in one body, whatever its chunks", async () => {
    const contents = ["", "two\nlines\n", Buffer.alloc(70_000, 7), "sha256:", "last"];
    const body = frames(...contents);
    for (const size of [1000, 65_536]) {
      const chunks = Array.from({ length: Math.ceil(body.length / size) }, (_, i) => body.subarray(i * size, (i + 1) * size));
      const answer = await server.call("POST", "/v1/blobs", { payload: Readable.from(chunks), headers: BLOBS });
      expect(answer).toMatchObject({ status: 200, json: { stored: 5 } });
    }
    expect(await missing(...contents)).toBe(0);
    expect(
      (
        await server.call("POST", "/v1/blobs", {
          payload: Readable.from([...body].slice(0, 300).map((byte) => Buffer.from([byte]))),
          headers: BLOBS,
        })
      ).status,
    ).toBe(400);
  });

  it.each([
    ["a line that is none", "hello\nworld", /is not a digest and a size/],
    ["a line without end", "x".repeat(300), /too long/],
    ["an end in a line", "sha256:12", /ends in the middle of a line/],
    ["an end in a content", frames("three").subarray(0, -1).toString(), /ends in the middle of a content/],
  ])("together with %s are refused", async (_, payload, detail) => {
    const { status, json } = await server.call("POST", "/v1/blobs", { payload, headers: BLOBS });
    expect([status, json.code]).toEqual([400, "USAGE"]);
    expect(json.detail).toMatch(detail);
  });

  it("that are too large are refused, whether they say so or not", async () => {
    const large = Buffer.alloc(LIMIT + 1);
    const told = await server.call("PUT", `/v1/blobs/${digestOf(large)}`, { payload: large, headers: OCTETS });
    expect(told).toMatchObject({ status: 413, json: { code: "SOURCE_TOO_LARGE", detail: expect.stringContaining("1 MiB") } });
    const untold = await server.call("PUT", `/v1/blobs/${digestOf(large)}`, { payload: Readable.from([large]), headers: OCTETS });
    expect(untold).toMatchObject({ status: 413, json: { code: "SOURCE_TOO_LARGE" } });
    const together = await server.call("POST", "/v1/blobs", {
      payload: frames(Buffer.alloc(LIMIT - 10), Buffer.alloc(20)),
      headers: BLOBS,
    });
    expect(together).toMatchObject({ status: 413, json: { code: "SOURCE_TOO_LARGE" } });
  });

  it("that are too large are answered while they are still being sent", async () => {
    const chunk = Buffer.alloc(256 * 1024);
    for (const [path, headers] of [
      [`/v1/blobs/${digestOf("no")}`, OCTETS],
      ["/v1/blobs", BLOBS],
    ] as const) {
      const parts = path.endsWith("blobs") ? [Buffer.from(`${digestOf("no")} ${64 * chunk.length}\n`)] : [];
      const body = ReadableStream.from([...parts, ...Array(64).fill(chunk)]) as never;
      const init = {
        method: path.endsWith("blobs") ? "POST" : "PUT",
        headers: { ...headers, authorization: `Bearer ${server.token}` },
        body,
        duplex: "half",
      };
      const response = await fetch(`${url}${path}`, init as RequestInit);
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([413, "SOURCE_TOO_LARGE"]);
    }
  });

  it("that do not fit onto the disk are told so", async () => {
    const full = () => Promise.reject(new EngineError("DISK_FULL", "there is no space left"));
    const other = await startServer(postgres, { changes: ({ sources }) => ({ sources: { ...sources, putBlob: full } }) });
    const answer = await other.call("PUT", `/v1/blobs/${digestOf("x")}`, { payload: "x", headers: OCTETS });
    expect(answer).toMatchObject({ json: { code: "DISK_FULL" } });
    expect(answer.status).toBeGreaterThanOrEqual(500);
    await other.close();
  });

  it("that a store does not read to the end are passed over", async () => {
    const other = await startServer(postgres, { changes: ({ sources }) => ({ sources: { ...sources, putBlob: async () => {} } }) });
    const answer = await other.call("POST", "/v1/blobs", {
      payload: frames("here already", Buffer.alloc(300_000), "and this"),
      headers: BLOBS,
    });
    expect(answer).toMatchObject({ status: 200, json: { stored: 3 } });
    await other.close();
  });

  it("are taken at the pace of the store: memory stays flat while the disk is slow", async () => {
    let taken = 0;
    const slow = await startServer(postgres, {
      changes: ({ sources, settings }) => ({
        settings: { ...settings, maxSourceBytes: 2 ** 30 },
        sources: {
          ...sources,
          async putBlob(_digest, content) {
            for await (const chunk of content as AsyncIterable<Buffer>) {
              taken += chunk.length;
              await new Promise((resolve) => setTimeout(resolve, 20));
            }
          },
        },
      }),
    });
    const target = new URL(await slow.listen());
    const headers = { ...OCTETS, authorization: `Bearer ${slow.token}` };
    const req = request({ host: target.hostname, port: target.port, method: "PUT", path: `/v1/blobs/${digestOf("big")}`, headers });
    req.on("error", () => {});
    let sent = 0;
    while (req.write(Buffer.alloc(64 * 1024)) || sent < 1) {
      sent += 64 * 1024;
      await new Promise((resolve) => setImmediate(resolve));
      if (sent > 200 * 2 ** 20) break;
    }
    // The socket is full long before the store has taken what a server that buffers would have taken.
    expect(sent).toBeLessThan(64 * 2 ** 20);
    expect(taken).toBeLessThan(sent + 64 * 1024);
    req.destroy();
    await slow.close();
  });

  it("of an upload that breaks off are not there", async () => {
    const target = new URL(url);
    const headers = { ...OCTETS, authorization: `Bearer ${server.token}`, "content-length": "1000" };
    const req = request({ host: target.hostname, port: target.port, method: "PUT", path: `/v1/blobs/${digestOf("half")}`, headers });
    req.on("error", () => {});
    req.write("half");
    await new Promise((resolve) => setTimeout(resolve, 100));
    req.destroy();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await missing("half")).toBe(1);
  });
});

describe("a snapshot", () => {
  const file = (path: string, content: string) => ({ path, type: "file", mode: "644", size: content.length, digest: digestOf(content) });

  it("is stored once its contents are here", async () => {
    const entries = [file("a.js", "aaa"), { path: "sub", type: "folder" }, { path: "link", type: "link", target: "a.js" }];
    expect(await server.call("POST", "/v1/snapshots", { body: { entries } })).toMatchObject({
      status: 409,
      json: { code: "SNAPSHOT_INCOMPLETE" },
    });
    await server.call("PUT", `/v1/blobs/${digestOf("aaa")}`, { payload: "aaa", headers: OCTETS });
    expect(await server.call("POST", "/v1/snapshots", { body: { entries } })).toMatchObject({ status: 200, json: { sizeBytes: 3 } });
  });

  it.each([
    ["that leaves the source", [file("../x", "aaa")], 422, "SOURCE_INVALID"],
    ["with a link out of it", [{ path: "l", type: "link", target: "../../etc/passwd" }], 422, "SOURCE_INVALID"],
    ["with a mode of its own", [{ ...file("x", "aaa"), mode: "777" }], 400, "USAGE"],
    ["of more bytes than are taken", [{ ...file("x", "aaa"), size: LIMIT + 1 }], 413, "SOURCE_TOO_LARGE"],
  ])("%s is refused", async (_, entries, status, code) => {
    expect(await server.call("POST", "/v1/snapshots", { body: { entries } })).toMatchObject({ status, json: { code } });
  });
});

import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isTokenValue, newTokenValue, openApiDocument } from "../../src/api/index.ts";
import { ENGINE_ERRORS, EngineError } from "../../src/domain/errors.ts";
import { type TestPostgres, startPostgres } from "../support/postgres.ts";
import { type Method, type TestServer, startServer } from "./server.ts";

let postgres: TestPostgres;
let server: TestServer;
beforeAll(async () => {
  postgres = await startPostgres();
  server = await startServer(postgres);
});
afterAll(async () => {
  await server.close();
  await postgres.stop();
});

/** Every route that the server has, as the router itself prints them. */
function allRoutes(): readonly (readonly [Method, string])[] {
  const found: [Method, string][] = [];
  const stack: string[] = [];
  for (const line of server.api.printRoutes({ commonPrefix: false }).split("\n")) {
    const match = /^([│ ]*)[├└]── (\S*)(?: \(([A-Z, ]+)\))?/.exec(line);
    if (!match) continue;
    stack.length = match[1]!.length / 4;
    stack.push(match[2]!);
    for (const method of match[3]?.split(", ") ?? []) found.push([method as Method, stack.join("").replace(/:[a-z]+/g, "x")]);
  }
  return found;
}

describe("access", () => {
  it("needs a token on every route but health", async () => {
    const routes = allRoutes();
    expect(routes.length).toBeGreaterThan(25);
    const open: string[] = [];
    for (const [method, path] of routes) {
      const { status, json } = await server.call(method, path, { token: null });
      if (status === 401) expect(json, `${method} ${path}`).toMatchObject({ code: "TOKEN_MISSING" });
      else open.push(`${method} ${path}`);
    }
    expect(open.toSorted()).toEqual(["GET /health/live", "GET /health/ready"]);
  });

  it("tells a token that is mistyped from one that is not known", async () => {
    const unknown = await server.call("GET", "/v1/principal", { token: newTokenValue() });
    expect(unknown).toMatchObject({ status: 401, json: { code: "TOKEN_INVALID", detail: expect.stringContaining("not known here") } });
    expect(unknown.headers["www-authenticate"]).toBe("Bearer");
    const mistyped = await server.call("GET", "/v1/principal", { token: `${newTokenValue().slice(0, -1)}?` });
    expect(mistyped.json.detail).toContain("mistyped");
    const other = await server.call("GET", "/v1/principal", { token: null, headers: { authorization: "Basic eDp5" } });
    expect(other.json).toMatchObject({ code: "TOKEN_INVALID" });
  });

  it("knows paths that are none only to those who have a token", async () => {
    expect(await server.call("GET", "/v1/nothing", { token: null })).toMatchObject({ status: 401 });
    expect(await server.call("GET", "/v1/nothing")).toMatchObject({
      status: 404,
      json: { code: "ROUTE_NOT_FOUND", detail: "the API has no GET /v1/nothing" },
    });
    expect(await server.call("DELETE", "/v1/deployments")).toMatchObject({ status: 404, json: { code: "ROUTE_NOT_FOUND" } });
  });

  it.each([
    ["127.0.0.1:7300", 200],
    ["localhost", 200],
    ["[::1]:80", 200],
    ["127.1.2.3", 200],
    ["HELIX.example:443", 200],
    ["evil.example", 400],
    ["localhost.evil.example", 400],
    ["127.0.0.1.evil.example", 400],
  ])("under the host %j answers %d", async (host, status) => {
    expect((await server.call("GET", "/health/live", { headers: { host } })).status).toBe(status);
  });
});

describe("tokens", () => {
  it("are made, shown once, used, listed without value, and revoked", async () => {
    const made = await server.call("POST", "/v1/tokens", { body: { name: "ci" } });
    expect(made.status).toBe(201);
    expect(made.headers["cache-control"]).toBe("no-store");
    const { token, id } = made.json;
    expect(isTokenValue(token)).toBe(true);
    expect((await server.call("GET", "/v1/principal", { token })).json).toMatchObject({ kind: "token", name: "ci" });
    const { text } = await server.call("GET", "/v1/tokens");
    expect(text).toContain(id);
    expect(text).not.toContain(token);
    expect(await server.call("DELETE", "/v1/tokens/ci")).toMatchObject({ status: 200, json: { id, revokedAt: expect.any(String) } });
    expect((await server.call("GET", "/v1/principal", { token })).status).toBe(401);
    expect(await server.call("DELETE", "/v1/tokens/ci")).toMatchObject({ status: 404, json: { code: "TOKEN_NOT_FOUND" } });
    expect(server.logged.join("")).not.toContain(token);
  });

  it("have names of their own", async () => {
    await server.call("POST", "/v1/tokens", { body: { name: "twice" } });
    expect(await server.call("POST", "/v1/tokens", { body: { name: "twice" } })).toMatchObject({
      status: 400,
      json: { code: "USAGE", detail: expect.stringContaining("twice") },
    });
    expect(await server.call("POST", "/v1/tokens", { body: { name: "" } })).toMatchObject({
      status: 400,
      json: { detail: expect.stringContaining("body.name") },
    });
  });

  it("cannot be made without end", async () => {
    const answers = [];
    for (let i = 0; i < 31; i++) answers.push(await server.call("POST", "/v1/tokens", { body: { name: `many-${i}` } }));
    expect(answers.at(-1)).toMatchObject({
      status: 503,
      json: { code: "BUSY", retryable: true },
      headers: { "retry-after": expect.anything() },
    });
  });

  it("have a checksum that finds every slip of one character", () => {
    const token = newTokenValue();
    expect(token).toMatch(/^hlx_[0-9a-z]{39}$/);
    for (let i = 4; i < token.length; i++) {
      const slip = token[i] === "a" ? "b" : "a";
      expect(isTokenValue(token.slice(0, i) + slip + token.slice(i + 1))).toBe(false);
    }
    expect(isTokenValue("")).toBe(false);
  });
});

describe("requests", () => {
  it.each([
    ["no JSON", { payload: "{", headers: { "content-type": "application/json" } }, 400],
    ["another type", { payload: "<a/>", headers: { "content-type": "text/xml" } }, 415],
    ["no body", {}, 400],
  ])("with %s are refused in words", async (_, options, status) => {
    expect(await server.call("POST", "/v1/snapshots/missing", options)).toMatchObject({ status, json: { code: "USAGE", status } });
  });

  it("to addresses that are none are refused in words", async () => {
    expect(await server.call("GET", "/v1/deployments/%zz")).toMatchObject({ status: 400, json: { code: "USAGE" } });
    expect(await server.call("GET", `/v1/deployments/${"x".repeat(600)}`)).toMatchObject({ status: 414, json: { code: "USAGE" } });
  });

  it("have an id that is in the answer", async () => {
    const { headers, json } = await server.call("GET", "/v1/nothing");
    expect(headers["x-request-id"]).toBe(json.requestId);
    expect(json.instance).toBe("GET /v1/nothing");
  });

  it("that hit a bug are logged whole and answered short", async () => {
    const broken = await startServer(postgres, {
      changes: ({ engine }) => ({ engine: { ...engine, sweep: () => Promise.reject(new Error("relation x does not exist")) } }),
    });
    const { status, json, text } = await broken.call("GET", "/v1/sweep");
    expect([status, json.code]).toEqual([500, "BUG"]);
    expect(text).not.toContain("relation");
    expect(broken.logged.join("")).toContain("relation x does not exist");
    await broken.close();
  });
});

describe("the plane", () => {
  it("says what runs", async () => {
    expect((await server.call("GET", "/v1/plane")).json).toMatchObject({
      processes: [{ role: "control", pid: process.pid }],
      database: { ok: true },
      queue: { ok: true, kind: "postgres", depth: 3 },
    });
  });

  it("says what does not", async () => {
    const queue = { backend: "redis" as const, depth: () => Promise.reject(new Error("refused")) };
    const ping = () => Promise.reject(new EngineError("DATABASE_DOWN", "gone"));
    const down = await startServer(postgres, { changes: ({ ledger }) => ({ queue, ledger: { ...ledger, ping } }) });
    expect((await down.call("GET", "/v1/plane")).json).toMatchObject({
      queue: { ok: false, kind: "redis" },
      database: { ok: false, error: "gone" },
    });
    expect(await down.call("GET", "/health/ready")).toMatchObject({
      status: 503,
      json: { code: "DATABASE_DOWN" },
      headers: { "retry-after": "1" },
    });
    expect((await down.call("GET", "/health/live")).status).toBe(200);
    await down.close();
  });

  it("is started and stopped by its hooks", async () => {
    expect((await server.call("POST", "/v1/plane/up", { body: {} })).status).toBe(204);
    expect((await server.call("POST", "/v1/plane/down", { body: {} })).status).toBe(204);
    expect(server.plane).toEqual({ ups: 1, downs: 1 });
  });

  it("lists plugins, sweeps, and explains errors", async () => {
    expect((await server.call("GET", "/v1/plugins")).json.items).toMatchObject([
      { name: "memory", planes: ["build", "runtime", "delivery"] },
    ]);
    expect((await server.call("GET", "/v1/sweep")).json).toEqual({ drift: [], orphans: [], unknown: [] });
    expect((await server.call("GET", "/v1/errors/HEALTH_FAILED")).json).toMatchObject({
      code: "HEALTH_FAILED",
      exit: 4,
      hint: ENGINE_ERRORS.HEALTH_FAILED.hint,
    });
    expect((await server.call("GET", "/v1/errors/BUILD_FAILED")).json).toMatchObject({ exit: 4, retryable: false });
    expect(await server.call("GET", "/v1/errors/HEALT_FAILED")).toMatchObject({
      status: 404,
      json: { code: "ERROR_NOT_FOUND", detail: expect.stringContaining("HEALTH_FAILED") },
    });
  });
});

describe("figures", () => {
  it("are in the format that Prometheus reads, by pattern and not by path", async () => {
    server.deps.metrics.watch({ queueDepth: async () => 7 });
    await server.call("GET", "/v1/deployments/dep_123");
    const { headers, text } = await server.call("GET", "/metrics");
    expect(headers["content-type"]).toContain("text/plain");
    expect(text).toMatch(/helix_http_request_duration_seconds_count\{method="GET",route="\/v1\/deployments\/:id",status="404"\} [1-9]/);
    expect(text).toContain("helix_queue_depth 7");
    expect(text).not.toContain("dep_123");
  });
});

describe("the description", () => {
  it("is OpenAPI 3.1, made without a database, and the same as the server's own", async () => {
    const document = await openApiDocument();
    expect(document["openapi"]).toBe("3.1.0");
    expect((await server.call("GET", "/openapi.json")).json).toEqual(document);
  });

  it("names every operation once, with its answers", async () => {
    const { paths } = (await openApiDocument()) as { paths: Record<string, Record<string, { operationId?: string; responses: object }>> };
    const operations = Object.values(paths).flatMap((path) => Object.values(path));
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).not.toContain(undefined);
    expect(operations.length).toBe(allRoutes().length);
  });
});

describe("the socket", () => {
  it("answers a request whose head is broken and goes on", async () => {
    const other = await startServer(postgres);
    const url = new URL(await other.listen());
    const status = await new Promise((resolve, reject) => {
      const req = request({ host: url.hostname, port: url.port, path: "/health/live", headers: { host: "a b" } }, (res) =>
        resolve(res.resume().statusCode),
      );
      req.on("error", reject).end();
    });
    expect(status).toBe(400);
    expect((await fetch(`${url}health/live`)).status).toBe(200);
    await other.close();
  });
});

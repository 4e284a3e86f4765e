import { afterEach, describe, expect, it } from "vitest";
import { follow } from "../src/client/follow.ts";
import { createHttp } from "../src/client/http.ts";
import { type ApiServer, type Handler, json, problem, startApi, stream } from "./support/api-server.ts";

let api: ApiServer | null = null;
afterEach(() => api?.kill().catch(() => {}));
const start = async (routes: Readonly<Record<string, Handler>>) => (api = await startApi(routes));
const httpTo = (url: string, { token = null as string | null, patienceMs = 0 } = {}) =>
  createHttp({ connection: () => ({ url, token }), patienceMs });

describe("a request", () => {
  it("carries token, query and body, and gives the answer", async () => {
    const { url, seen } = await start({ "POST /v1/x": (_, response) => json(response, { made: true }) });
    expect(
      await httpTo(url, { token: "secret" }).request("POST", "/v1/x", { body: { a: 1 }, query: { q: "a b", none: undefined } }),
    ).toEqual({ made: true });
    expect(seen[0]).toMatchObject({ headers: { authorization: "Bearer secret", "content-type": "application/json" } });
    expect(seen[0]!.body.toString()).toBe('{"a":1}');
  });

  it("rejects with the error that the answer names", async () => {
    const { url } = await start({
      "GET /named": (_, response) =>
        problem(response, { status: 422, code: "MANIFEST_INVALID", detail: "line 3", hint: "mend it", plane: "build" }),
      "GET /proxy": (_, response) => void response.writeHead(502).end("<html>bad gateway</html>"),
      "GET /denied": (_, response) => void response.writeHead(401).end(),
    });
    await expect(httpTo(url).request("GET", "/named")).rejects.toMatchObject({
      code: "MANIFEST_INVALID",
      message: "line 3",
      options: { hint: "mend it", plane: "build" },
    });
    await expect(httpTo(url).request("GET", "/proxy")).rejects.toMatchObject({ code: "BUSY" });
    await expect(httpTo(url).request("GET", "/denied")).rejects.toMatchObject({ code: "TOKEN_INVALID" });
  });

  it("waits for a server that comes back, and gives up when it does not", async () => {
    const server = await start({ "GET /x": (_, response) => json(response, 1) });
    await server.kill();
    await expect(httpTo(server.url, { patienceMs: 200 }).request("GET", "/x")).rejects.toMatchObject({
      code: "PLANE_DOWN",
      message: expect.stringContaining("ECONNREFUSED"),
    });
    const answer = httpTo(server.url, { patienceMs: 5000 }).request("GET", "/x");
    await new Promise((resolve) => setTimeout(resolve, 200));
    await server.restart();
    expect(await answer).toBe(1);
  });

  it("tries again where the answer is not just now, and never repeats what may have arrived unless it may be", async () => {
    let count = 0;
    const { url, seen } = await start({
      "GET /busy": (_, response) =>
        ++count < 3 ? problem(response, { status: 503, code: "BUSY", detail: "later" }) : json(response, count),
      "POST /cut": (_, response) => void response.destroy(),
    });
    expect(await httpTo(url, { patienceMs: 5000 }).request("GET", "/busy")).toBe(3);
    await expect(httpTo(url, { patienceMs: 300 }).request("POST", "/cut", { body: {} })).rejects.toMatchObject({ code: "PLANE_DOWN" });
    expect(seen.filter(({ path }) => path === "/cut")).toHaveLength(1);
    await expect(httpTo(url, { patienceMs: 300 }).request("POST", "/cut", { body: {}, repeatable: true })).rejects.toMatchObject({
      code: "PLANE_DOWN",
    });
    expect(seen.filter(({ path }) => path === "/cut").length).toBeGreaterThan(2);
  });
});

describe("following", () => {
  it("resumes after a break with the last id, missing nothing and seeing nothing twice", async () => {
    const asked: (string | undefined)[] = [];
    const { url } = await start({
      "GET /events": ({ headers }, response) => {
        const after = Number(headers["last-event-id"] ?? 0);
        asked.push(headers["last-event-id"] as string | undefined);
        const send = stream(response);
        send({ id: after + 1, event: "n", data: after + 1 });
        send({ id: after + 2, event: "n", data: after + 2 });
        setTimeout(() => response.destroy(), 20);
      },
    });
    const seen: string[] = [];
    for await (const { data } of follow(httpTo(url, { patienceMs: 2000 }), "/events", {
      patienceMs: 2000,
      isOver: () => Promise.resolve(false),
    })) {
      seen.push(data);
      if (seen.length === 6) break;
    }
    expect(seen).toEqual(["1", "2", "3", "4", "5", "6"]);
    expect(asked).toEqual([undefined, "2", "4"]);
  });

  it("ends when the server ends it and all is over", async () => {
    const { url } = await start({ "GET /events": (_, response) => (stream(response)({ data: 1 }), void response.end()) });
    let rounds = 0;
    const seen = [];
    for await (const { data } of follow(httpTo(url), "/events", { patienceMs: 2000, isOver: () => Promise.resolve(++rounds === 2) }))
      seen.push(data);
    expect(seen).toEqual(["1", "1"]);
  });

  it("comes again when the server says so or its database restarts, and passes on what is wrong for good", async () => {
    let opened = 0;
    const { url } = await start({
      "GET /events": (_, response) => {
        const send = stream(response);
        send({ id: ++opened, event: "n", data: opened });
        if (opened === 1) send({ event: "reconnect", data: {} });
        if (opened === 2) send({ event: "error", data: { code: "DATABASE_DOWN", message: "gone", hint: "" } });
        if (opened === 3) send({ event: "error", data: { code: "SERVICE_NOT_FOUND", message: "no web", hint: "look" } });
        response.end();
      },
    });
    const seen: string[] = [];
    const reading = async () => {
      for await (const { data } of follow(httpTo(url), "/events", { patienceMs: 2000, isOver: () => Promise.resolve(true) }))
        seen.push(data);
    };
    await expect(reading()).rejects.toMatchObject({ code: "SERVICE_NOT_FOUND", message: "no web" });
    expect(seen).toEqual(["1", "2", "3"]);
  });

  it("gives up when nobody comes back, and stops at once at a signal", async () => {
    const server = await start({ "GET /events": (_, response) => void stream(response) });
    const signal = AbortSignal.timeout(100);
    const hanging = follow(httpTo(server.url), "/events", { patienceMs: 60_000, signal, isOver: () => Promise.resolve(false) });
    await expect(hanging.next()).rejects.toMatchObject({ name: "TimeoutError" });
    await server.kill();
    const dead = follow(httpTo(server.url, { patienceMs: 100 }), "/events", { patienceMs: 200, isOver: () => Promise.resolve(false) });
    await expect(dead.next()).rejects.toMatchObject({ code: "PLANE_DOWN" });
  });
});

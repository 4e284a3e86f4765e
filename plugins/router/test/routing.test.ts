import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HOST, type Upstream, type World, get, makeUpstream, makeWorld, target } from "./world.ts";

let world: World;
let web: Upstream;
let http = 0;
let port = 0;

beforeAll(async () => {
  world = await makeWorld();
  web = await makeUpstream((req, res) => {
    res.setHeader("set-cookie", ["a=1", "b=2"]);
    res.end(JSON.stringify({ method: req.method, url: req.url, raw: req.rawHeaders }));
  });
  const observed = await world.apply([{ targets: [target(web.port, { release: "rel-1" })] }]);
  http = Number(new URL(observed.addresses[0]?.url ?? "").port);
  port = observed.addresses[0]?.address.port ?? 0;
});

afterAll(async () => {
  await web.close();
  await world.stop();
});

describe("a request", () => {
  it("reaches its service by host name and by port", async () => {
    expect((await get(http)).status).toBe(200);
    expect((await get(http, { headers: { host: `${HOST.toUpperCase()}:${http}` } })).status).toBe(200);
    expect((await get(port, { headers: { host: "anything.example" } })).status).toBe(200);
  });

  it("keeps repeated headers, their case and order, and says where it came from", async () => {
    const answer = await get(http, {
      path: "/x?y=1",
      headers: { "X-Thing": ["1", "2"], connection: "close, x-gone", "x-gone": "1", te: "trailers" },
    });
    const { url, raw } = JSON.parse(answer.body) as { url: string; raw: string[] };
    expect(url).toBe("/x?y=1");
    const pairs = raw.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${raw[i + 1]}`] : []));
    expect(pairs).toContain("X-Thing: 1");
    expect(pairs.indexOf("X-Thing: 2")).toBe(pairs.indexOf("X-Thing: 1") + 1);
    expect(pairs).toContain("X-Forwarded-For: 127.0.0.1");
    expect(pairs).toContain(`X-Forwarded-Host: ${HOST}`);
    expect(pairs).toContain("X-Forwarded-Proto: http");
    expect(pairs).toContain(`host: ${HOST}`);
    expect(raw.map((name) => name.toLowerCase())).not.toContain("x-gone");
    expect(raw.map((name) => name.toLowerCase())).not.toContain("te");
    expect(answer.headers["set-cookie"]).toEqual(["a=1", "b=2"]);
    expect(answer.headers["x-helix-release"]).toBe("rel-1");
  });

  it("has an id: its own when it is well-formed", async () => {
    const own = await get(http, { headers: { "x-request-id": "abc-123" } });
    expect(own.headers["x-request-id"]).toBe("abc-123");
    const odd = await get(http, { headers: { "x-request-id": "a b{}" } });
    expect(odd.headers["x-request-id"]).toMatch(/^[0-9a-f]{12}-[0-9a-z]+$/);
    expect(odd.body).toContain(String(odd.headers["x-request-id"]));
  });
});

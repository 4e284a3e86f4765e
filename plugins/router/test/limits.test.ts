import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Upstream, type World, get, makeUpstream, makeWorld, raw, target } from "./world.ts";

let world: World;
let web: Upstream;
let port = 0;

beforeAll(async () => {
  world = await makeWorld({ limits: { headersTimeoutMs: 400, idleTimeoutMs: 500, maxConnections: 20 }, trustForwarded: true });
  web = await makeUpstream((req, res) => void res.end(JSON.stringify(req.headers)));
  const observed = await world.apply([{ targets: [target(web.port)] }]);
  port = observed.addresses[0]?.address.port ?? 0;
});

afterAll(async () => {
  await web.close();
  await world.stop();
});

describe("a connection", () => {
  it("that sends its headers too slowly is told 408", async () => {
    const { text, isClosed } = await raw(port, "GET / HTTP/1.1\r\nHost: a\r\nX: ", 4000);
    expect(text).toMatch(/^HTTP\/1\.1 408/);
    expect(isClosed).toBe(true);
    expect(web.seen).toHaveLength(0);
  });

  it("that is idle after a request is closed", async () => {
    const begun = performance.now();
    const { text, isClosed } = await raw(port, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 4000);
    expect(text).toMatch(/^HTTP\/1\.1 200/);
    expect(isClosed).toBe(true);
    expect(performance.now() - begun).toBeGreaterThan(400);
  });

  it("beyond the highest number is closed; the others go on", async () => {
    const sockets = Array.from({ length: 20 }, () => connect(port, "127.0.0.1").on("error", () => undefined));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await expect(get(port)).rejects.toThrow();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await get(port)).status).toBe(200);
  });
});

describe("a proxy before the router, when it is trusted", () => {
  it("is believed where a request came from", async () => {
    const headers = { "x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https", "x-forwarded-host": "shop.example" };
    expect(JSON.parse((await get(port, { headers })).body)).toMatchObject({
      "x-forwarded-for": "203.0.113.9, 127.0.0.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "shop.example",
    });
  });
});

describe("a target that is the router itself", () => {
  it("does not go round for ever", async () => {
    const observed = await world.apply([{ service: "loop", hosts: ["loop.localhost"], port: null, targets: [target(port)] }], {
      unit: "loop",
    });
    const own = observed.addresses[0]?.address.port ?? 0;
    await world.apply([{ service: "loop", hosts: ["loop.localhost"], targets: [target(own)] }], { unit: "loop" });
    expect((await get(own)).status).toBe(508);
  });
});

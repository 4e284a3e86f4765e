import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Upstream, type World, get, makeUpstream, makeWorld, raw, target, until } from "./world.ts";

let world: World;
let web: Upstream;
const order: string[] = [];

beforeAll(async () => {
  world = await makeWorld({ limits: { held: 5 } });
  web = await makeUpstream((req, res) => {
    order.push(req.url ?? "");
    req.resume();
    req.on("end", () => res.end("served"));
  });
});

afterAll(async () => {
  await web.close();
  await world.stop();
});

async function hold(holdMs: number | null, service = "web"): Promise<number> {
  const observed = await world.apply([{ service, hosts: [`${service}.localhost`], holdMs }], { unit: service });
  return observed.addresses[0]?.address.port ?? 0;
}

describe("a route without a target", () => {
  it("holds requests, bodies unread, and lets them go on in order when a target comes", async () => {
    const port = await hold(5000, "held");
    const waiting: Promise<{ status: number; body: string }>[] = [];
    for (let i = 0; i < 5; i += 1) {
      waiting.push(get(port, { path: `/${i}`, method: "POST", body: "x".repeat(1000) }));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(order).toEqual([]);
    const over = await get(port, { path: "/over" });
    expect(over.status).toBe(503);
    await world.apply([{ service: "held", hosts: ["held.localhost"], targets: [target(web.port)] }], { unit: "held" });
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(order).toEqual(["/0", "/1", "/2", "/3", "/4"]);
  });

  it("forgets a client that left", async () => {
    const port = await hold(20_000, "left");
    const before = order.length;
    await raw(port, "GET /gone HTTP/1.1\r\nHost: a\r\n\r\n", 50);
    await until(async () => (await world.client.status()).connections === 0);
    await world.apply([{ service: "left", hosts: ["left.localhost"], targets: [target(web.port)] }], { unit: "left" });
    expect((await get(port, { path: "/here" })).status).toBe(200);
    expect(order.slice(before)).toEqual(["/here"]);
  });
});

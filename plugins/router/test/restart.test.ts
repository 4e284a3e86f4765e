import { type Server, createServer } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { delivery } from "../src/delivery.ts";
import { portCandidates } from "@helixstack/route-tables";
import { PORTS } from "../src/data-plane/port-range.ts";
import { type Upstream, type World, get, makeUpstream, makeWorld, target, tableOf, until } from "./world.ts";

let world: World;
let web: Upstream;

beforeAll(async () => {
  web = await makeUpstream((_req, res) => void res.end("ok"));
});
beforeEach(async () => {
  world = await makeWorld();
});
afterEach(async () => world.stop());
afterAll(async () => web.close());

async function occupy(port: number, host = "127.0.0.1"): Promise<Server> {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return server;
}

describe("a router that is killed", () => {
  it("serves the same table on the same ports when it is back, without the control plane", async () => {
    const before = await world.apply([
      { targets: [target(web.port)] },
      { service: "api", hosts: ["api.localhost"], targets: [target(web.port)] },
    ]);
    const http = Number(new URL(before.addresses[0]?.url ?? "").port);
    await world.kill("SIGKILL");
    await world.start();
    expect((await get(http)).status).toBe(200);
    for (const { address } of before.addresses) expect((await get(address.port)).status).toBe(200);
    expect(await delivery.observe(world.ctx(), { prior: null })).toEqual(before);
  });

  it("serves nothing while it is away, and what is owned is listed from disk; writes say UNAVAILABLE", async () => {
    await world.apply([{ targets: [target(web.port)] }]);
    await world.kill();
    expect(await delivery.observe(world.ctx(), { prior: null })).toBeNull();
    const [listed] = await delivery.list(world.ctx(), { installation: "inst" });
    expect(listed).toMatchObject({ kind: "routes", id: world.unit, identity: { environment: "env", revision: world.unit } });
    expect(await delivery.list(world.ctx(), { installation: "foreign" })).toEqual([]);
    await expect(world.apply([])).rejects.toMatchObject({ code: "UNAVAILABLE", retryable: true });
    await expect(delivery.destroy(world.ctx(), { prior: null })).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(delivery.drain?.(world.ctx(), { revisions: [], timeoutMs: 1 })).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  it("takes its port back as soon as another program lets go of it, and says so meanwhile", async () => {
    const before = await world.apply([{ targets: [target(web.port)] }]);
    const port = before.addresses[0]?.address.port ?? 0;
    await world.kill();
    const other = await occupy(port);
    await world.start();
    const observed = await delivery.observe(world.ctx(), { prior: null });
    expect(observed?.state.notListening).toEqual([{ service: "web", address: "127.0.0.1", port, why: "EADDRINUSE" }]);
    expect(observed?.addresses).toEqual(before.addresses);
    await new Promise((resolve) => other.close(resolve));
    await until(async () => (await get(port).catch(() => null))?.status === 200, 8000);
  });
});

describe("ports", () => {
  it("that are taken are stepped around, and the choice is kept", async () => {
    const [first, second] = portCandidates(PORTS, { unit: world.unit, service: "web" });
    const other = await occupy(first as number);
    const observed = await world.apply([{ targets: [target(web.port)] }]);
    expect(observed.addresses[0]?.address.port).toBe(second);
    await new Promise((resolve) => other.close(resolve));
    expect((await world.apply([])).addresses).toEqual([]);
    const again = await world.apply([{ targets: [target(web.port)] }]);
    expect(again.addresses[0]?.address.port).toBe(second);
  });

  it("that are asked for and taken are a conflict, and the table stays as it was", async () => {
    const before = await world.apply([{ targets: [target(web.port)] }]);
    const other = await occupy(0);
    const taken = (other.address() as { port: number }).port;
    await expect(world.apply([{ service: "api", hosts: [], port: taken }], { generation: 9 })).rejects.toMatchObject({ code: "CONFLICT" });
    expect(await delivery.observe(world.ctx(), { prior: null })).toEqual(before);
    other.close();
  });

  it("of host names step up to the next free one, and stay there", async () => {
    const other = await occupy(0);
    const asked = (other.address() as { port: number }).port;
    const second = await makeWorld({ httpPort: asked });
    const { httpPort } = await second.client.status();
    expect(httpPort).toBeGreaterThan(asked);
    await new Promise((resolve) => other.close(resolve));
    await second.kill();
    await second.start();
    expect((await second.client.status()).httpPort).toBe(httpPort);
    await second.stop();
  });

  it("answer on more addresses than loopback, also on one that comes later", async () => {
    const observed = await world.apply([{ targets: [target(web.port)], bind: ["127.0.0.2", "192.0.2.77"] }]);
    const port = observed.addresses[0]?.address.port ?? 0;
    expect((await get(port, { host: "127.0.0.2" })).status).toBe(200);
    expect(observed.state.notListening).toEqual([{ service: "web", address: "192.0.2.77", port, why: "EADDRNOTAVAIL" }]);
  });

  it("are closed with their service", async () => {
    const observed = await world.apply([{ targets: [target(web.port)] }]);
    const port = observed.addresses[0]?.address.port ?? 0;
    await delivery.destroy(world.ctx(), { prior: null });
    await delivery.destroy(world.ctx(), { prior: null });
    await expect(get(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    expect(await delivery.observe(world.ctx(), { prior: null })).toBeNull();
    expect(await delivery.list(world.ctx(), { installation: "inst" })).toEqual([]);
  });
});

describe("a router that is told to stop", () => {
  it("finishes the request in flight, then ends", async () => {
    const slow = await makeUpstream((_req, res) => void setTimeout(() => res.end("slow"), 300));
    const observed = await world.apply([{ targets: [target(slow.port)] }]);
    const port = observed.addresses[0]?.address.port ?? 0;
    const answer = get(port);
    await until(() => slow.seen.length === 1);
    await world.kill("SIGTERM");
    expect(await answer).toMatchObject({ status: 200, body: "slow", headers: { connection: "close" } });
    await slow.close();
  });

  it("does not start beside another one", async () => {
    const { pid } = await world.client.status();
    await expect(world.start().then(async () => (await world.client.status()).pid)).resolves.toBe(pid);
    await until(() => world.logs().includes("another router"));
  });
});

describe("a plan", () => {
  it("is empty when the table is as it should be, whatever the generation", async () => {
    const observed = await world.apply([{ targets: [target(web.port)] }]);
    const same = tableOf(99, [{ targets: [target(web.port)], port: observed.addresses[0]?.address.port ?? 0 }]);
    expect(delivery.plan({ table: same, observed })).toEqual([]);
    const changed = tableOf(99, [{ targets: [], holdMs: 5 }, { service: "api" }]);
    expect(delivery.plan({ table: changed, observed }).map(({ action, path }) => `${action} ${path}`)).toEqual([
      "update routes.web.targets",
      "update routes.web.holdMs",
      "create routes.api",
    ]);
    expect(delivery.plan({ table: tableOf(99, []), observed })).toMatchObject([{ action: "delete", path: "routes.web" }]);
    expect(delivery.plan({ table: same, observed: null })).toMatchObject([{ action: "create", path: "" }]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Upstream, type World, get, makeUpstream, makeWorld, target, until } from "./world.ts";

let world: World;
const apps: Upstream[] = [];

beforeAll(async () => {
  world = await makeWorld();
  for (const name of ["a", "b"]) apps.push(await makeUpstream((_req, res) => void res.end(name)));
});

afterAll(async () => {
  await Promise.all(apps.map((app) => app.close()));
  await world.stop();
});

const portOf = (i: number): number => apps[i % 2]?.port ?? 0;

describe("a switch", () => {
  it("closes idle connections to what left the table", async () => {
    const old = await makeUpstream((_req, res) => void res.end("old"));
    const observed = await world.apply([{ targets: [target(old.port)] }]);
    expect((await get(observed.addresses[0]?.address.port ?? 0)).body).toBe("old");
    const open = async (): Promise<number> => new Promise((resolve) => old.server.getConnections((_error, count) => resolve(count)));
    expect(await open()).toBe(1);
    await world.apply([{ targets: [target(portOf(0))] }]);
    await until(async () => (await open()) === 0, 500);
    await old.close();
  });

  it("shares by weight, smoothly, and sends nothing to weight 0", async () => {
    const observed = await world.apply([
      { targets: [target(portOf(0), { weight: 3 }), target(portOf(1), { weight: 1 }), target(9, { weight: 0 })] },
    ]);
    const port = observed.addresses[0]?.address.port ?? 0;
    const bodies: string[] = [];
    for (let i = 0; i < 12; i += 1) bodies.push((await get(port)).body);
    expect(bodies.join("")).toBe("aabaaabaaaba");
  });
});

describe("a table's generation", () => {
  it("is each table's own, and a host belongs to one table", async () => {
    await expect(world.apply([{ service: "x", hosts: ["x.localhost"] }], { unit: "gen2", generation: 1 })).resolves.toMatchObject({
      generation: 1,
    });
    await expect(world.apply([{ service: "y", hosts: ["x.localhost"] }], { unit: "gen3", generation: 1 })).rejects.toMatchObject({
      code: "CONFLICT",
    });
  });

  it("refuses a table that cannot be served, and names the place", async () => {
    await expect(world.apply([{ hosts: ["Upper.localhost"] }], { unit: "bad" })).rejects.toMatchObject({
      code: "INVALID_SPEC",
      message: expect.stringContaining("Upper"),
    });
    await expect(world.apply([{ port: 70_000 }], { unit: "bad" })).rejects.toMatchObject({
      code: "INVALID_SPEC",
      message: expect.stringContaining("/routes/0/port"),
    });
    const elsewhere = target(1, { endpoint: { kind: "tcp", host: "127.0.0.1", port: 1 } });
    await expect(world.apply([{ targets: [elsewhere] }], { unit: "bad" })).rejects.toMatchObject({ code: "INVALID_SPEC" });
  });
});

import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Route } from "@helixstack/sdk";
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

const [portOf, nameOf] = [(i: number): number => apps[i % 2]?.port ?? 0, (i: number): string => "ab"[i % 2] as string];

/** The table of the i-th switch: the other application, under a release of its own. */
function serving(i: number): Partial<Route> {
  return { targets: [target(portOf(i), { revision: `r${i}`, release: String(i) })] };
}

describe("a switch", () => {
  it("loses no request under load, and sends none to the old target once it returned", async () => {
    const observed = await world.apply([serving(0)]);
    const port = observed.addresses[0]?.address.port ?? 0;
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    let isOver = false;
    let done = 0;
    let served = 0;
    const failures: string[] = [];
    const client = async (options: { agent?: Agent }): Promise<void> => {
      while (!isOver) {
        const doneBefore = done;
        try {
          const answer = await get(port, options);
          const release = Number(answer.headers["x-helix-release"]);
          served += 1;
          if (answer.status !== 200 || answer.body !== nameOf(release)) failures.push(`${answer.status} ${answer.body} by ${release}`);
          if (release < doneBefore) failures.push(`release ${release} after the switch to ${doneBefore} had returned`);
        } catch (error) {
          failures.push(String(error));
        }
      }
    };
    const clients = Array.from({ length: 12 }, (_, i) => client(i < 8 ? { agent } : {}));
    try {
      for (let i = 1; i <= 30; i += 1) {
        await world.apply([serving(i)]);
        done = i;
        await sleep(20);
      }
    } finally {
      isOver = true;
      await Promise.all(clients);
      agent.destroy();
    }
    expect(failures).toEqual([]);
    expect(served).toBeGreaterThan(200);
  });

  it("keeps a client's connection and lets its request in flight finish on the old target", async () => {
    const slow = await makeUpstream((_req, res) => void setTimeout(() => res.end("slow"), 300));
    const observed = await world.apply([{ targets: [target(slow.port)] }]);
    const port = observed.addresses[0]?.address.port ?? 0;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const first = get(port, { agent });
    await until(() => slow.seen.length === 1);
    await world.apply([{ targets: [target(portOf(0))] }]);
    expect((await first).body).toBe("slow");
    expect((await get(port, { agent })).body).toBe("a");
    expect(slow.seen).toHaveLength(1);
    agent.destroy();
    await slow.close();
  });

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
  it("never goes back", async () => {
    const table = [{ service: "other", hosts: ["g.localhost"], targets: [target(portOf(0))] }];
    await world.apply(table, { unit: "gen", generation: 5 });
    await expect(world.apply(table, { unit: "gen", generation: 4 })).rejects.toMatchObject({ code: "STALE_FENCE" });
    await expect(world.apply([{ ...table[0], holdMs: 5 }], { unit: "gen", generation: 5 })).rejects.toMatchObject({ code: "STALE_FENCE" });
    await expect(world.apply(table, { unit: "gen", generation: 5 })).resolves.toMatchObject({ generation: 5 });
  });

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

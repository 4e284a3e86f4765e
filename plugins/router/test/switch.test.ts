import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
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

describe("a switch", () => {
  it("loses no request under load, and sends none to the old target once it returned", async () => {
    const observed = await world.apply([{ targets: [target(portOf(0))] }]);
    const port = observed.addresses[0]?.address.port ?? 0;
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    let isOver = false;
    let floor = 0;
    const failures: string[] = [];
    let served = 0;
    const clients = Array.from({ length: 12 }, async (_, i) => {
      while (!isOver) {
        const begun = floor;
        const allowed = new Set([nameOf(begun), nameOf(begun + 1)]);
        try {
          const answer = await get(port, i < 8 ? { agent } : {});
          served += 1;
          // Between two switches the answer may be of the one that is under way, never of one before `begun`.
          if (answer.status !== 200 || (floor === begun && !isSwitching && answer.body !== nameOf(begun)))
            failures.push(`${answer.status} ${answer.body}`);
          if (!allowed.has(answer.body)) failures.push(`unknown ${answer.body}`);
        } catch (error) {
          failures.push(String(error));
        }
      }
    });
    let isSwitching = false;
    for (let i = 1; i <= 30; i += 1) {
      isSwitching = true;
      await world.apply([{ targets: [target(portOf(i))] }]);
      floor = i;
      isSwitching = false;
      const before = apps[(i + 1) % 2]?.seen.length ?? 0;
      // What was in flight may still arrive for a moment; what starts now may not.
      await sleep(15);
      const settled = apps[(i + 1) % 2]?.seen.length ?? 0;
      await sleep(15);
      expect(apps[(i + 1) % 2]?.seen.length, `requests to the old target after switch ${i} (${before})`).toBe(settled);
      expect((await get(port)).body).toBe(nameOf(i));
    }
    isOver = true;
    await Promise.all(clients);
    agent.destroy();
    expect(failures).toEqual([]);
    expect(served).toBeGreaterThan(300);
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

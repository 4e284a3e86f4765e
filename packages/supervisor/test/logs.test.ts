import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { collect, makeWorld, until, type World } from "./world.ts";

let world: World;
beforeEach(() => {
  world = makeWorld();
});
afterEach(() => world.close());

const NEVER = { policy: "never", minMs: 1, maxMs: 1 } as const;
const COUNT = `let n = 0; setInterval(() => console.log("line " + n++), 2)`;

describe("logs", () => {
  it("keep both streams in order, with times and growing cursors", async () => {
    const client = await world.start();
    await client.ensure(world.unit("a", `console.log("one"); console.error("two"); process.stdout.write("three")`, { restart: NEVER }));
    await client.wait("a");
    const lines = await collect(client.logs("a"));
    expect(lines.filter(({ s }) => s === "o").map(({ m }) => m)).toEqual(["one", "three"]);
    expect(lines.filter(({ s }) => s === "e").map(({ m }) => m)).toEqual(["two"]);
    expect(lines.map(({ c }) => c)).toEqual(lines.map(({ c }) => c).sort((a, b) => a - b));
    expect(Date.parse(lines[0]!.t)).toBeGreaterThan(Date.now() - 60_000);
  });

  it("lose nothing while no supervisor is there", async () => {
    const first = await world.start();
    await first.ensure(world.unit("a", COUNT));
    await sleep(300);
    await world.killSupervisor(first);
    await sleep(300);
    const second = await world.start();
    await sleep(300);
    await second.stop("a", { graceMs: 0 });
    const lines = await collect(second.logs("a"));
    const numbers = lines.map(({ m }) => Number(m.slice(5)));
    expect(numbers.length).toBeGreaterThan(200);
    // What the killed supervisor had read and not yet written is the one thing that may be missing: a few lines, once, and nothing twice.
    const steps = numbers.slice(1).map((number, index) => number - numbers[index]!);
    expect(Math.min(...steps)).toBe(1);
    const gaps = steps.filter((step) => step > 1);
    expect(gaps.length).toBeLessThanOrEqual(1);
    expect(Math.max(...steps)).toBeLessThanOrEqual(20);
  });

  it("do not end a process that writes while no supervisor is there", async () => {
    const first = await world.start();
    const { pid } = await first.ensure(world.unit("a", `setInterval(() => console.log("x".repeat(5000)), 1)`));
    await world.killSupervisor(first);
    await sleep(500);
    const second = await world.start();
    expect(await second.status("a")).toMatchObject({ phase: "running", pid, restarts: 0 });
    const last = (await collect(second.logs("a", { tail: 1 })))[0]!.c;
    await until(async () => (await collect(second.logs("a", { after: last, tail: null }))).length > 0);
  });

  it("rotate, stay readable from any cursor, and give the last lines", async () => {
    const client = await world.start();
    const script = `for (let n = 0; n < 20000; n++) console.log("line " + n + " " + "y".repeat(80))`;
    await client.ensure(world.unit("a", script, { restart: NEVER, log: { maxBytes: 400_000, files: 3 } }));
    await client.wait("a");
    const files = readdirSync(join(world.home, "data/supervisor/logs"));
    expect(files.sort()).toEqual(["a.jsonl", "a.jsonl.1", "a.jsonl.2"]);
    const all = await collect(client.logs("a"));
    expect(all.length).toBeGreaterThan(4000);
    expect(all.at(-1)!.m).toMatch(/^line 19999 /);
    for (const index of [0, 1, 700, Math.floor(all.length / 2), all.length - 2]) {
      const [next] = await collect(client.logs("a", { after: all[index]!.c }));
      expect(next).toEqual(all[index + 1]);
    }
    expect(await collect(client.logs("a", { after: all.at(-1)!.c }))).toEqual([]);
    for (const count of [0, 1, 10, 3500, 1e6])
      expect(await collect(client.logs("a", { tail: count }))).toEqual(count === 0 ? [] : all.slice(-count));
  });

  it("cut very long lines and keep what is not ASCII whole", async () => {
    const client = await world.start();
    await client.ensure(world.unit("a", `process.stdout.write("é".repeat(150000) + "\\nend\\n")`, { restart: NEVER }));
    await client.wait("a");
    const lines = await collect(client.logs("a"));
    expect(Math.max(...lines.map(({ m }) => m.length))).toBeLessThanOrEqual(64 * 1024);
    expect(lines.map(({ m }) => m).join("")).toBe(`${"é".repeat(150000)}end`);
  });

  it("follow what comes, over rotations, and end when the unit is removed", async () => {
    const client = await world.start();
    const script = `let n = 0; setInterval(() => { for (let i = 0; i < 20; i++) console.log("line " + n++ + " " + "z".repeat(200)) }, 5)`;
    await client.ensure(world.unit("a", script, { log: { maxBytes: 50_000, files: 3 } }));
    const numbers: number[] = [];
    const reading = (async () => {
      for await (const line of client.logs("a", { follow: true, tail: 0 })) numbers.push(Number(line.m.split(" ")[1]));
    })();
    await until(() => numbers.length > 2000, 10_000);
    await client.remove("a", { graceMs: 0 });
    await reading;
    expect(numbers).toEqual(numbers.map((_, index) => numbers[0]! + index));
  });

  it("are not held up by a reader that stops reading", async () => {
    const client = await world.start();
    await client.ensure(
      world.unit("a", `let n = 0; setInterval(() => { for (let i = 0; i < 100; i++) console.log(n++ + "w".repeat(500)) }, 2)`),
    );
    const lazy = client.logs("a", { follow: true })[Symbol.asyncIterator]();
    await lazy.next();
    const count = async (): Promise<number> => Number.parseInt((await collect(client.logs("a", { tail: 1 })))[0]!.m, 10);
    const before = await count();
    await sleep(1000);
    expect(await count()).toBeGreaterThan(before + 1000);
    await client.ping();
    await lazy.return?.(undefined);
  });
});

import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { processIdentity } from "../src/index.ts";
import { collect, copiesOf, IDLE, makeWorld, until, type World } from "./world.ts";

let world: World;
beforeEach(() => {
  world = makeWorld();
});
afterEach(() => world.close());

describe("when the supervisor is killed", () => {
  it("its units live on, the next one adopts them, and equal ensures start nothing", async () => {
    const first = await world.start();
    const units = ["a", "b", "c"].map((name) => world.unit(name, IDLE));
    const before = await Promise.all(units.map((unit) => first.ensure(unit)));
    await world.killSupervisor(first);
    const second = await world.start();
    const after = await Promise.all(units.map((unit) => second.ensure(unit)));
    expect(after.map(({ pid }) => pid)).toEqual(before.map(({ pid }) => pid));
    expect(after.map(({ restarts }) => restarts)).toEqual([0, 0, 0]);
  });

  it("an adopted unit that dies is started again", async () => {
    const first = await world.start();
    const { pid } = await first.ensure(world.unit("a", IDLE));
    await world.killSupervisor(first);
    const second = await world.start();
    const killed = Date.now();
    process.kill(pid!, "SIGKILL");
    await until(async () => {
      const status = await second.status("a");
      return status?.phase === "running" && status.pid !== pid;
    });
    expect(Date.now() - killed).toBeLessThan(500);
    expect(copiesOf(join(world.home, "a.cjs"))).toHaveLength(1);
  });

  it("a unit that died meanwhile is started with resume, and left as exited without", async () => {
    const first = await world.start();
    const { pid } = await first.ensure(world.unit("a", IDLE));
    await world.killSupervisor(first);
    process.kill(pid!, "SIGKILL");
    const second = await world.start({ resume: false });
    expect(await second.status("a")).toMatchObject({ phase: "exited", pid: null, lastExit: { code: null } });
    await world.killSupervisor(second);
    const third = await world.start({ resume: true });
    await until(async () => (await third.status("a"))?.phase === "running");
  });

  it("frozen stays frozen, stopped stays stopped", async () => {
    const first = await world.start();
    const { pid } = await first.ensure(world.unit("a", IDLE));
    await first.ensure(world.unit("b", IDLE));
    await first.freeze("a");
    await first.stop("b", { graceMs: 0 });
    await world.killSupervisor(first);
    const second = await world.start();
    expect(await second.status("a")).toMatchObject({ phase: "frozen", pid });
    expect(await second.status("b")).toMatchObject({ phase: "stopped" });
  });

  it("a process that was started but not written down is found by its marker", async () => {
    const first = await world.start();
    const unit = world.unit("a", IDLE);
    await first.ensure(unit);
    await first.stop("a", { graceMs: 0 });
    await world.killSupervisor(first);
    const path = join(world.home, "data/supervisor/units/a.json");
    const record = JSON.parse(readFileSync(path, "utf8")) as { nonce: string; starts: number; unit: object };
    const marker = `a:${record.nonce}:${record.starts + 1}`;
    const lost = spawn(unit.argv[0]!, unit.argv.slice(1), { env: { ...unit.env, HELIX_UNIT: marker }, detached: true, stdio: "ignore" });
    await until(() => processIdentity(lost.pid!));
    writeFileSync(path, JSON.stringify({ ...record, unit: { ...record.unit, desired: "running" } }));
    const second = await world.start();
    expect(await second.ensure(unit)).toMatchObject({ pid: lost.pid });
    expect(copiesOf(join(world.home, "a.cjs"))).toEqual([lost.pid]);
  });

  it("at any instant of starting, replacing and crashing, no two copies ever run at once", async () => {
    // Each copy holds a name that the kernel gives to one process at a time.
    const script = (name: string, rest: string): string => `
      const doubled = (error) => require("node:fs").appendFileSync("doubled", ${JSON.stringify(name)} + error.code + "\\n");
      require("node:net").createServer().on("error", doubled).listen("\\0" + process.cwd() + ${JSON.stringify(name)});
      ${rest}`;
    const steady = world.unit("steady", script("steady", ""));
    const flipping = world.unit("flipping", script("flipping", ""));
    const crashing = world.unit("crashing", script("crashing", "setTimeout(() => process.exit(1), 15)"), {
      restart: { policy: "always", minMs: 1, maxMs: 10 },
    });
    for (let round = 0; round < 40; round++) {
      const client = await world.start({ resume: round % 2 === 0 });
      // Asked before: an answer would come between two of its steps, and the kill with it.
      const { pid } = await client.ping();
      const work = [
        client.ensure(steady),
        client.ensure(crashing),
        client.ensure({ ...flipping, specDigest: `d${round % 3}` }, { graceMs: 0 }),
        client.freeze("steady"),
        client.thaw("steady"),
      ].map((promise) => promise.catch(() => undefined));
      await sleep((round * 7) % 90);
      process.kill(pid, "SIGKILL");
      await client.closed;
      await Promise.all(work);
      expect(existsSync(join(world.home, "doubled"))).toBe(false);
    }
    const client = await world.start();
    const [a, b] = [await client.ensure(steady), await client.ensure({ ...flipping, specDigest: "last" })];
    expect(copiesOf(steady.argv[1]!)).toEqual([a.pid]);
    expect(copiesOf(flipping.argv[1]!)).toEqual([b.pid]);
    expect(existsSync(join(world.home, "doubled"))).toBe(false);
  }, 90_000);

  it("strays of a process that died meanwhile are gone before it is started again", async () => {
    const first = await world.start();
    const child = world.unit("child", IDLE).argv[1]!;
    const script = `require("node:child_process").spawn(process.execPath, [${JSON.stringify(child)}], { detached: true, stdio: "ignore" }).unref(); setInterval(() => {}, 1000)`;
    const { pid } = await first.ensure(world.unit("a", script));
    const stray = await until(() => copiesOf(child)[0]);
    await world.killSupervisor(first);
    process.kill(pid!, "SIGKILL");
    const second = await world.start();
    expect((await second.ensure(world.unit("a", script))).phase).toBe("running");
    await until(() => !copiesOf(child).includes(stray));
  });

  it("a tied unit does not outlive it for long", async () => {
    const first = await world.start();
    await first.ensure(world.unit("a", IDLE, { tied: true, restart: { policy: "never", minMs: 1, maxMs: 1 } }));
    await world.killSupervisor(first);
    const second = await world.start();
    await until(async () => (await second.list()).length === 0);
    expect(copiesOf(join(world.home, "a.cjs"))).toEqual([]);
  });

  it("a removal under way is finished by the next one", async () => {
    const first = await world.start();
    await first.ensure(world.unit("a", `process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)`));
    const removal = first.remove("a", { graceMs: 60_000 }).catch(() => undefined);
    await sleep(100);
    await world.killSupervisor(first);
    await removal;
    const second = await world.start();
    await until(async () => (await second.list()).length === 0);
    expect(copiesOf(join(world.home, "a.cjs"))).toEqual([]);
  });

  it("shutdown with all units ends them, and a resumed supervisor brings them back", async () => {
    const first = await world.start();
    await first.ensure(world.unit("a", IDLE));
    await first.shutdown({ stopUnits: "all", graceMs: 1000 });
    expect(copiesOf(join(world.home, "a.cjs"))).toEqual([]);
    const second = await world.start({ resume: true });
    await until(async () => (await second.status("a"))?.phase === "running");
    await until(async () => (await collect(second.logs("a"))).length >= 1);
  });
});

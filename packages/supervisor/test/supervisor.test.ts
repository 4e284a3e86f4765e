import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { processIdentity, socketPath, SupervisorClient } from "../src/index.ts";
import { collect, copiesOf, IDLE, makeWorld, until, type World } from "./world.ts";

let world: World;
beforeEach(() => {
  world = makeWorld();
});
afterEach(() => world.close());

describe("starting", () => {
  it("makes one supervisor however many ask at once", async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => world.start()));
    const pids = new Set((await Promise.all(clients.map((client) => client.ping()))).map(({ pid }) => pid));
    expect(pids.size).toBe(1);
    expect(statSync(join(world.home, "run")).mode & 0o777).toBe(0o700);
  });

  it("ignores SIGHUP and SIGINT and leaves its units running on SIGTERM", async () => {
    const client = await world.start();
    const { pid } = await client.ping();
    const unit = await client.ensure(world.unit("a", IDLE));
    process.kill(pid, "SIGHUP");
    process.kill(pid, "SIGINT");
    await sleep(50);
    expect((await client.ping()).pid).toBe(pid);
    process.kill(pid, "SIGTERM");
    await client.closed;
    expect(copiesOf(join(world.home, "a.cjs"))).toEqual([unit.pid]);
  });

  it("listens again when its socket was removed, and ends with its units when its home was", async () => {
    const client = await world.start();
    const { pid } = await client.ping();
    const unit = await client.ensure(world.unit("a", IDLE));
    rmSync(socketPath(world.home, "supervisor"));
    expect((await (await until(() => SupervisorClient.connect(world.home).catch(() => null))).ping()).pid).toBe(pid);
    rmSync(world.home, { recursive: true });
    await until(() => processIdentity(pid) === null && processIdentity(unit.pid!) === null, 15_000);
    expect(existsSync(world.home)).toBe(false);
  });

  it("names a short socket for a home with a long path", () => {
    const long = socketPath(`/${"x".repeat(120)}`, "supervisor");
    expect(Buffer.byteLength(long)).toBeLessThan(100);
    expect(socketPath("/short", "router")).toBe("/short/run/router.sock");
  });
});

describe("a unit", () => {
  it("is started once by many equal ensures, and replaced by another spec", async () => {
    const client = await world.start();
    const [first, second] = await Promise.all([client.ensure(world.unit("a", IDLE)), client.ensure(world.unit("a", IDLE))]);
    expect(second!.pid).toBe(first!.pid);
    const third = await client.ensure(world.unit("a", IDLE, { specDigest: "two" }));
    expect(third.pid).not.toBe(first!.pid);
    expect(copiesOf(join(world.home, "a.cjs"))).toEqual([third.pid]);
  });

  it("gets its own environment and nothing of the supervisor's", async () => {
    const client = await world.start();
    await client.ensure(
      world.unit("a", `console.log(JSON.stringify(process.env)); setInterval(() => {}, 1000)`, { env: { ONLY: "this" } }),
    );
    const [line] = await until(async () => {
      const lines = await collect(client.logs("a"));
      return lines.length > 0 && lines;
    });
    expect(JSON.parse(line!.m)).toEqual({ ONLY: "this", HELIX_UNIT: expect.stringMatching(/^a:[0-9a-f]+:1$/) });
    const [file] = readdirSync(join(world.home, "data/supervisor/env"));
    expect(statSync(join(world.home, "data/supervisor/env", file!)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(world.home, "data/supervisor/units/a.json"), "utf8")).not.toContain("ONLY");
  });

  it("is started again within 200 ms of its death, then less often", async () => {
    const client = await world.start();
    const { pid } = await client.ensure(world.unit("a", IDLE));
    const killed = Date.now();
    process.kill(pid!, "SIGKILL");
    const next = await until(async () => {
      const status = await client.status("a");
      return status?.phase === "running" && status.pid !== pid && status;
    });
    expect(Date.now() - killed).toBeLessThan(200);
    expect(next).toMatchObject({ restarts: 1, lastExit: { code: 137 } });
  });

  it("backs off when it keeps ending", async () => {
    const client = await world.start();
    await client.ensure(world.unit("a", `process.exit(3)`, { restart: { policy: "always", minMs: 50, maxMs: 400 } }));
    await sleep(1500);
    const status = await client.status("a");
    expect(status!.restarts).toBeGreaterThanOrEqual(3);
    expect(status!.restarts).toBeLessThanOrEqual(7);
    expect(status!.lastExit!.code).toBe(3);
  });

  it("says in its log when the command cannot be started", async () => {
    const client = await world.start();
    await client.ensure(world.unit("a", IDLE, { argv: ["/no/such/program"], restart: { policy: "never", minMs: 1, maxMs: 1 } }));
    expect(await client.status("a")).toMatchObject({ phase: "exited", lastExit: { code: 127 } });
    expect((await collect(client.logs("a")))[0]!.m).toContain("/no/such/program could not be started");
  });

  it("freezes and thaws in milliseconds, and ensure thaws too", async () => {
    const client = await world.start();
    const { pid } = await client.ensure(world.unit("a", IDLE));
    await client.freeze("a");
    expect(await client.status("a")).toMatchObject({ phase: "frozen", pid });
    await client.thaw("a");
    expect(await client.status("a")).toMatchObject({ phase: "running", pid });
    await client.freeze("a");
    expect(await client.ensure(world.unit("a", IDLE))).toMatchObject({ phase: "running", pid });
    process.kill(-pid!, "SIGSTOP");
    expect(await client.ensure(world.unit("a", IDLE))).toMatchObject({ phase: "running", pid });
  });

  it("is asked to end before it is killed, also when it is frozen", async () => {
    const client = await world.start();
    const script = `process.on("SIGTERM", () => { console.log("bye"); process.exit(0) }); console.log("up"); setInterval(() => {}, 1000)`;
    await client.ensure(world.unit("a", script));
    await until(async () => (await collect(client.logs("a"))).length > 0);
    await client.freeze("a");
    await client.stop("a", { graceMs: 5000 });
    expect(await client.status("a")).toMatchObject({ phase: "stopped", lastExit: { code: 0 } });
    expect((await collect(client.logs("a"))).at(-1)!.m).toBe("bye");
  });

  it("takes its descendants with it when it ends, wherever they went", async () => {
    const client = await world.start();
    const child = world.unit("child", IDLE).argv[1]!;
    const script = `require("node:child_process").spawn(process.execPath, [${JSON.stringify(child)}], { detached: true, stdio: "ignore" }).unref(); setInterval(() => {}, 1000)`;
    await client.ensure(world.unit("a", script));
    await until(() => copiesOf(child).length === 1);
    await client.stop("a", { graceMs: 1000 });
    expect(copiesOf(child)).toEqual([]);
  });

  it("goes with its logs and folders when it is removed, twice as well", async () => {
    const client = await world.start();
    const folder = join(world.home, "work");
    mkdirSync(folder);
    writeFileSync(join(folder, "x"), "x");
    await client.ensure(world.unit("a", IDLE, { owns: [folder] }));
    await client.remove("a");
    await client.remove("a");
    expect(existsSync(folder)).toBe(false);
    expect(await client.list()).toEqual([]);
    for (const kind of ["units", "env", "fifos", "logs"]) expect(readdirSync(join(world.home, "data/supervisor", kind))).toEqual([]);
    expect(copiesOf(join(world.home, "a.cjs"))).toEqual([]);
  });

  it("refuses to own what is not the home's", async () => {
    const client = await world.start();
    await expect(client.ensure(world.unit("a", IDLE, { owns: ["/etc"] }))).rejects.toMatchObject({ code: "INVALID_UNIT" });
    await expect(client.ensure(world.unit("a", IDLE, { owns: [`${world.home}/../x`] }))).rejects.toMatchObject({ code: "INVALID_UNIT" });
    await expect(client.ensure(world.unit("../a", IDLE))).rejects.toThrow();
  });

  it("refuses a lower fence than it has seen, also after removal", async () => {
    const client = await world.start();
    await client.ensure(world.unit("a", IDLE), { fence: 5 });
    await expect(client.ensure(world.unit("a", IDLE), { fence: 4 })).rejects.toMatchObject({ code: "STALE_FENCE" });
    await expect(client.stop("a", { fence: 4 })).rejects.toMatchObject({ code: "STALE_FENCE" });
    await expect(client.remove("a", { fence: 4 })).rejects.toMatchObject({ code: "STALE_FENCE" });
    expect(await client.status("a")).toMatchObject({ phase: "running" });
    await client.remove("a", { fence: 6 });
    await expect(client.ensure(world.unit("a", IDLE), { fence: 5 })).rejects.toMatchObject({ code: "STALE_FENCE" });
    await client.ensure(world.unit("a", IDLE), { fence: 7 });
  });

  it("keeps its port over restarts, and takes another one when somebody has it", async () => {
    const client = await world.start();
    const script = `require("node:http").createServer((q, s) => s.end()).listen(process.env.PORT, () => console.log("up"))`;
    const unit = world.unit("a", script, { portVariable: "PORT" });
    const first = await client.ensure(unit);
    process.kill(first.pid!, "SIGKILL");
    const second = await until(async () => {
      const status = await client.status("a");
      return status!.pid !== null && status!.pid !== first.pid && status;
    });
    expect(second.port).toBe(first.port);
    await client.stop("a", { graceMs: 0 });
    const { createServer } = await import("node:net");
    const squatter = createServer().listen(first.port!, "127.0.0.1");
    try {
      const third = await client.ensure(unit);
      expect(third.port).not.toBe(first.port);
    } finally {
      squatter.close();
    }
  });

  it("is killed and started again above its memory limit", async () => {
    const client = await world.start();
    const script = `if (!require("node:fs").existsSync("once")) { require("node:fs").writeFileSync("once", ""); global.keep = Buffer.alloc(200 * 1048576, 1) } setInterval(() => {}, 1000)`;
    await client.ensure(world.unit("a", script, { memoryBytes: 150 * 1048576 }));
    await until(async () => (await client.status("a"))!.restarts === 1, 8000);
    expect((await collect(client.logs("a"))).map(({ m }) => m).join()).toContain("memory limit reached");
  });

  it("ends with the connection that asked for it when it is tied", async () => {
    const client = await world.start();
    const other = await world.start();
    await other.ensure(world.unit("a", IDLE, { tied: true, restart: { policy: "never", minMs: 1, maxMs: 1 } }));
    other.close();
    await until(async () => (await client.list()).length === 0);
    expect(copiesOf(join(world.home, "a.cjs"))).toEqual([]);
  });

  it("tells how it ended to who waits", async () => {
    const client = await world.start();
    await client.ensure(world.unit("a", `setTimeout(() => process.exit(7), 100)`, { restart: { policy: "never", minMs: 1, maxMs: 1 } }));
    expect(await client.wait("a")).toMatchObject({ phase: "exited", lastExit: { code: 7 } });
    await expect(client.wait("b")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  it("tells how it ended even to who asks before the supervisor has heard of the end", async () => {
    const client = await world.start();
    const { pid } = await client.ping();
    for (let round = 0; round < 10; round++) {
      const name = `a${round}`;
      const unit = await client.ensure(world.unit(name, IDLE, { restart: { policy: "never", minMs: 1, maxMs: 1 } }));
      process.kill(pid, "SIGSTOP");
      process.kill(unit.pid!, "SIGKILL");
      await until(() => processIdentity(unit.pid!) === null);
      const end = client.wait(name);
      await sleep(5);
      process.kill(pid, "SIGCONT");
      expect((await end).lastExit).toMatchObject({ code: 137 });
    }
  });

  it("shows what it uses", async () => {
    const client = await world.start();
    await client.ensure(world.unit("a", IDLE));
    const usage = await until(async () => (await client.status("a"))!.usage);
    expect(usage.rssBytes).toBeGreaterThan(1_000_000);
    expect(usage.processes).toBe(1);
  });

  it("shows what those use that it has started", async () => {
    const client = await world.start();
    const child = `require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);`;
    await client.ensure(world.unit("a", `${child} setInterval(() => {}, 1000);`));
    const usage = await until(async () => {
      const found = (await client.status("a"))!.usage;
      return found?.processes === 2 && found;
    });
    expect(usage.rssBytes).toBeGreaterThan(20_000_000);
  });

  it("finds units by the labels that they carry", async () => {
    const client = await world.start();
    await client.ensure({ ...world.unit("a", IDLE), labels: { shop: "1", side: "left" } });
    await client.ensure({ ...world.unit("b", IDLE), labels: { shop: "1", side: "right" } });
    const found = async (labels: Record<string, string>) => (await client.list({ labels })).map(({ name }) => name);
    expect(await found({ shop: "1" })).toEqual(["a", "b"]);
    expect(await found({ shop: "1", side: "right" })).toEqual(["b"]);
    expect(await found({ shop: "2" })).toEqual([]);
  });
});

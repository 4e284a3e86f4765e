import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collect, IDLE, makeWorld, until, type World } from "./world.ts";

const disk = mkdtempSync(join(tmpdir(), "helix-disk-"));

function canMount(): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

// Only root may make a disk that is small enough to fill.
describe.runIf(canMount())("on a full disk", () => {
  let world: World;
  const fill = join(disk, "home", "fill");

  beforeAll(() => {
    mkdirSync(join(disk, "home"));
    world = makeWorld(join(disk, "home"));
  });
  afterAll(async () => {
    await world.close();
    execFileSync("umount", ["-l", disk]);
    rmSync(disk, { recursive: true, force: true });
  });

  it("the supervisor goes on, restarts what dies, refuses what it could not remember, and frees what is removed", async () => {
    const client = await world.start();
    const talker = world.unit("talker", `let n = 0; setInterval(() => console.log("line " + n++), 5)`);
    const other = world.unit("other", IDLE);
    const { pid } = await client.ensure(talker);
    await until(async () => (await collect(client.logs("talker"))).length > 0);
    expect(() => writeFileSync(fill, Buffer.alloc(4 << 20))).toThrow(/ENOSPC/);
    await expect(client.ensure(other)).rejects.toMatchObject({ code: "DISK_FULL" });
    expect((await client.list()).map(({ name }) => name)).toEqual(["talker"]);
    process.kill(pid!, "SIGKILL");
    const again = await until(async () => {
      const status = await client.status("talker");
      return status!.pid !== null && status!.pid !== pid && status;
    });
    await sleep(200);
    await world.killSupervisor(client);
    const second = await world.start();
    expect(await second.status("talker")).toMatchObject({ phase: "running", pid: again.pid });
    rmSync(fill);
    await sleep(200);
    const lines = (await collect(second.logs("talker"))).map(({ m }) => m);
    expect(lines.some((line) => /^helix: \d+ lines were lost/.test(line))).toBe(true);
    expect(() => writeFileSync(fill, Buffer.alloc(4 << 20))).toThrow(/ENOSPC/);
    await second.remove("talker", { graceMs: 0 });
    expect(await second.list()).toEqual([]);
    rmSync(fill);
    expect((await second.ensure(other)).phase).toBe("running");
  });
});

import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type World, type WorldOptions, home, makeWorld } from "./world.ts";

// What a build says of itself, and of what it can get at.
const SPY = `
  const fs = require("node:fs");
  const read = (path) => { try { return fs.readFileSync(path, "utf8"); } catch (error) { return error.code; } };
  const environs = fs.readdirSync("/proc").filter((name) => /^\\d+$/.test(name)).map((pid) => read("/proc/" + pid + "/environ"));
  fs.writeFileSync("seen.json", JSON.stringify({
    uid: process.getuid(),
    groups: process.getgroups(),
    home: process.env.HOME,
    key: read(process.argv[2]),
    ownSecret: process.env.TOKEN.length,
    foreignSecret: environs.some((one) => one.includes("FOREIGN_SECRET=")),
  }));
`;

let closed: string;
let other: ChildProcess;
let world: World;
beforeAll(() => {
  closed = join(mkdtempSync(join(tmpdir(), "helix-closed-")), "key");
  writeFileSync(closed, "the engine's key", { mode: 0o600 });
  other = spawn("sleep", ["600"], { env: { ...process.env, FOREIGN_SECRET: "somebody else's" } });
});
afterEach(() => world.close());
afterAll(() => {
  other.kill();
  for (const folder of [home, join(closed, "..")]) rmSync(folder, { recursive: true, force: true });
});

async function seen(options: Omit<WorldOptions, "files"> = {}, environment = "e") {
  const files = {
    "package.json": { scripts: { build: `node spy.js ${closed}`, start: "node spy.js" } },
    "spy.js": SPY,
  };
  world = makeWorld({ files, secrets: { TOKEN: "token-of-the-build" }, ...options });
  Object.assign(world.context, { identity: { ...world.context.identity, environment } });
  await world.build();
  return JSON.parse(readFileSync(join(world.output, "seen.json"), "utf8")) as Record<string, unknown>;
}

describe.skipIf(process.getuid?.() !== 0)("a build under root (needs root)", () => {
  it("runs as a user of its environment alone, who reads neither the engine's keys nor what others were given", async () => {
    const one = await seen();
    expect(one).toMatchObject({ key: "EACCES", foreignSecret: false, ownSecret: "token-of-the-build".length, groups: [one["uid"]] });
    expect(one["uid"]).toBeGreaterThanOrEqual(2_100_000_000);
    expect(one["home"]).toBe(join(home, "builders", String(one["uid"])));
    expect((await seen())["uid"]).toBe(one["uid"]);
    expect((await seen({}, "another"))["uid"]).not.toBe(one["uid"]);
  });

  it("leaves nothing that its user could change", async () => {
    await seen();
    const entries = readdirSync(world.output, { recursive: true, encoding: "utf8" }).map((path) => join(world.output, path));
    expect(entries.map((path) => statSync(path).uid).filter((uid) => uid !== 0)).toEqual([]);
  });

  it("is in the engine's own domain where the operator wants it so", async () => {
    expect(await seen({ config: { userPerEnvironment: false } })).toMatchObject({ uid: 0, key: "the engine's key", foreignSecret: true });
  });

  it("says so when the way is closed to a user of its own", async () => {
    world = makeWorld({ files: { "package.json": { scripts: { build: "node -e 0", start: "node a.js" } }, "a.js": "" } });
    chmodSync(join(world.source, ".."), 0o700);
    await world.build();
    expect(world.lines.join("\n")).toContain("the build runs as root: a user of its own could not pass");
  });
});

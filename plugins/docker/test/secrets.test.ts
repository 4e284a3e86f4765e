import { readFileSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Secret, type SecretRef } from "@helixstack/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runtime } from "../src/runtime.ts";
import { secretsFolder } from "../src/secrets.ts";
import { engine, hasDocker, makeWorld, specOf, type World } from "./world.ts";

const CANARY = "canary 7f3a'9c\"$HOME\nsecond line\n";
const SERVER = `
  const http = require("node:http"), fs = require("node:fs");
  console.log("started with " + process.env.PASSWORD + process.env.KEY);
  http.createServer((req, res) => {
    if (req.url === "/crash") process.exit(3);
    const files = Object.fromEntries(fs.readdirSync(process.env.SECRETS_DIR).map((name) => [name, fs.readFileSync(process.env.SECRETS_DIR + "/" + name, "utf8")]));
    res.end(JSON.stringify({ password: process.env.PASSWORD, key: process.env.KEY ?? null, files, argv: process.argv }));
  }).listen(process.env.PORT);
`;
const secrets = [
  { ref: { name: "PASSWORD", version: "1" }, as: "env" as const },
  { ref: { name: "KEY", version: "2" }, as: "file" as const },
];
const PRIOR = { prior: null };

describe.skipIf(!hasDocker)("secrets of containers", () => {
  let world: World;
  let isDown = false;
  let resolved: SecretRef[] = [];
  const resolve = async (ref: SecretRef) => {
    if (isDown) throw new Error("the store is down");
    resolved.push(ref);
    return new Secret(ref.name === "PASSWORD" ? CANARY : "key-value-in-a-file");
  };
  const context = (revision = "rev_1") => world.context(revision, { resolve });
  const address = async () => {
    const [container] = await world.containers();
    return (await engine.getContainer(container!.Id).inspect()).NetworkSettings.Networks[`helix-${world.installation}`]!.IPAddress;
  };
  /** Once: a second request would meet the restarted one. */
  const crash = async () => fetch(`http://${await address()}:8080/crash`).catch(() => null);
  const ask = async () => {
    for (let tries = 0; ; tries++) {
      const answer = await fetch(`http://${await address()}:8080/`).catch(() => null);
      if (answer || tries > 100)
        return (await answer!.json()) as { password: string; key: null; files: Record<string, string>; argv: string[] };
      await new Promise((done) => setTimeout(done, 100));
    }
  };

  beforeEach(async () => {
    isDown = false;
    resolved = [];
    world = await makeWorld();
  });
  afterEach(() => world.remove());

  it("are variables and files of the application, byte for byte, and stand in no configuration of the engine", async () => {
    const spec = specOf(await world.bundle({ "server.js": SERVER }), { secrets });
    await runtime.apply(await context(), { spec, ...PRIOR });
    const seen = await ask();
    expect(seen.password).toBe(CANARY);
    expect(seen.key).toBeNull();
    expect(seen.files).toEqual({ PASSWORD: CANARY, KEY: "key-value-in-a-file" });
    const [container] = await world.containers();
    const inspected = JSON.stringify(await engine.getContainer(container!.Id).inspect());
    for (const value of ["canary 7f3a", "key-value-in-a-file"]) expect(inspected).not.toContain(value);
  });

  it("are there again when the container is restarted and started while the store is down", async () => {
    const spec = specOf(await world.bundle({ "server.js": SERVER }), { secrets });
    const ctx = await context();
    await runtime.apply(ctx, { spec, ...PRIOR });
    isDown = true;
    await crash();
    expect((await ask()).password).toBe(CANARY);
    await runtime.suspend!(ctx, { ...PRIOR, how: "stop", graceMs: 500 });
    await runtime.apply(ctx, { spec, ...PRIOR });
    expect((await ask()).password).toBe(CANARY);
    expect(resolved).toHaveLength(2);
  });

  it("are fetched again when the machine has lost its memory, and gone with the container", async () => {
    const spec = specOf(await world.bundle({ "server.js": SERVER }), { secrets });
    const ctx = await context();
    await runtime.apply(ctx, { spec, ...PRIOR });
    const [container] = await world.containers();
    const folder = await secretsFolder(ctx, container!.Names[0]!.slice(1));
    expect(readFileSync(join(folder, "PASSWORD"), "utf8")).toBe(CANARY);
    await engine.getContainer(container!.Id).kill();
    await rm(folder, { recursive: true });
    await runtime.apply(ctx, { spec, ...PRIOR });
    expect((await ask()).password).toBe(CANARY);
    await runtime.destroy(ctx, { ...PRIOR, graceMs: 500 });
    expect(() => readdirSync(folder)).toThrow();
  });

  it("are masked in what the application and its tasks print", async () => {
    const spec = specOf(await world.bundle({ "server.js": SERVER, "task.js": "console.log('task', process.env.PASSWORD)" }), { secrets });
    const ctx = await context();
    await runtime.apply(ctx, { spec, ...PRIOR });
    await ask();
    const lines: string[] = [];
    for await (const { text } of runtime.logs!(ctx, { ...PRIOR, follow: false, tail: null, after: null })) lines.push(text);
    expect(lines.join("\n")).toContain("started with [secret]");
    const { logs } = await runtime.run!(ctx, { spec, name: "print", command: ["node", "task.js"] });
    expect(logs.join("\n")).toContain("task [secret]");
    for (const text of [...lines, ...logs, ...world.lines]) expect(text).not.toMatch(/canary 7f3a|second line/);
  });
});

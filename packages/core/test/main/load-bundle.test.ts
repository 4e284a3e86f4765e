import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadBundle } from "../../src/main/load-bundle.ts";
import { eventually } from "../support/eventually.ts";

let folder: string;
let file: string;
let cache: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "helix-bundle-"));
  file = join(folder, "bundle.cjs");
  cache = join(folder, "code");
  await writeFile(file, 'exports.said = () => "one"; exports.where = __dirname; exports.os = require("node:os");');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const load = (options: Partial<Parameters<typeof loadBundle>[0]> = {}) =>
  loadBundle({ file, cache, keepAfterMs: 0, ...options }) as { said(): string; where: string; os: object };
const kept = () => readdir(cache).catch(() => []);

test("runs as a module of its own place, with a cache and without", async () => {
  for (const options of [{}, {}, { cache: null }]) {
    const loaded = load(options);
    expect([loaded.said(), loaded.where, loaded.os]).toEqual(["one", folder, await import("node:os").then((os) => os.default)]);
    await sleep(20);
  }
});

test("keeps compiled code once, and never uses it for another script of the same length", async () => {
  load();
  await eventually(async () => expect(await kept()).toHaveLength(1));
  const [first] = await kept();
  load();
  await sleep(20);
  expect(await kept()).toEqual([first]);
  await writeFile(file, 'exports.said = () => "two"; exports.where = __dirname; exports.os = require("node:os");');
  await utimes(file, new Date(), new Date(Date.now() + 5_000));
  expect(load().said()).toBe("two");
  await eventually(async () => expect(await kept()).not.toEqual([first]));
  expect(await kept()).toHaveLength(1);
});

test("broken compiled code, or a folder that cannot be written, changes nothing", async () => {
  load();
  await eventually(async () => expect(await kept()).toHaveLength(1));
  await writeFile(join(cache, (await kept())[0]!), "nonsense");
  expect(load().said()).toBe("one");
  expect(load({ cache: join(file, "not-a-folder") }).said()).toBe("one");
  await sleep(20);
});

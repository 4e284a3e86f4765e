import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { type World, copyOf, home, makeWorld } from "./world.ts";

const worlds: World[] = [];
afterEach(() => worlds.splice(0).forEach((world) => world.close()));
afterAll(() => rmSync(home, { recursive: true, force: true }));

function given(files: Record<string, unknown>): World {
  const world = makeWorld({ files });
  worlds.push(world);
  return world;
}

interface Case {
  readonly packageManager: string;
  readonly lockfile: string;
  readonly install: string;
  readonly files?: Record<string, unknown>;
}

/** Each is really fetched from the registry, and really run. */
const CASES: readonly Case[] = [
  { packageManager: "pnpm@10.34.8", lockfile: "pnpm-lock.yaml", install: "--frozen-lockfile" },
  { packageManager: "yarn@1.22.22", lockfile: "yarn.lock", install: "--frozen-lockfile" },
  { packageManager: "yarn@4.18.1", lockfile: "yarn.lock", install: "--immutable" },
];

describe.each(CASES)("$packageManager", ({ packageManager, lockfile, install }) => {
  const packageJson = {
    packageManager,
    dependencies: { semver: "7.7.2" },
    devDependencies: { "is-odd": "3.0.1" },
    scripts: {
      start: "semver --range '^1' 1.2.3 2.0.0",
      build: "node -e \"require('fs').writeFileSync('odd', String(require('is-odd')(3)))\"",
    },
  };

  it("installs, builds and prunes, first without and then with its lockfile", async () => {
    const first = given({ "package.json": packageJson });
    await first.build();
    expect(first.lines.join("\n")).toContain("cannot be repeated exactly");
    const second = given({ "package.json": packageJson });
    cpSync(join(first.output, lockfile), join(second.source, lockfile));
    const { metadata } = await second.build();
    expect(second.lines.find((line) => line.startsWith("$ "))).toContain(install);
    expectBundle(second);
    expect(runMoved(second, metadata.start)).toBe("1.2.3");
  }, 180_000);

  it("refuses a lockfile that does not fit package.json", async () => {
    const first = given({ "package.json": packageJson });
    await first.build();
    const second = given({ "package.json": { ...packageJson, dependencies: { semver: "7.7.1" } } });
    cpSync(join(first.output, lockfile), join(second.source, lockfile));
    await expect(second.build()).rejects.toMatchObject({ code: "BUILD_FAILED", hint: expect.stringContaining("lockfile") });
  }, 180_000);
});

function expectBundle({ output, source }: World): void {
  expect(readFileSync(join(output, "odd"), "utf8")).toBe("true");
  expect(existsSync(join(output, "node_modules", "semver", "package.json"))).toBe(true);
  expect(existsSync(join(output, "node_modules", "is-odd"))).toBe(false);
  const names = (folder: string): string[] => (existsSync(join(output, folder)) ? readdirSync(join(output, folder)) : []);
  expect(names("node_modules/.pnpm").filter((name) => name.startsWith("is-odd"))).toEqual([]);
  expect(names(".yarn")).toEqual([]);
  expect(names("node_modules").filter((name) => /^\.(modules|yarn|package-lock|pnpm-workspace)/.test(name))).toEqual([]);
  // The folder of the build stands nowhere in the bundle.
  const found = spawnSync("grep", ["-rlF", source, output], { encoding: "utf8" });
  expect(found.stdout).toBe("");
}

function runMoved(world: World, start: readonly string[]): string {
  const copy = copyOf(world.output);
  worlds.forEach((each) => each.close());
  const run = spawnSync(start[0]!, start.slice(1), {
    cwd: copy,
    encoding: "utf8",
    env: { PATH: `${join(copy, "node_modules", ".bin")}:${process.env["PATH"]}` },
  });
  rmSync(copy, { recursive: true });
  expect(run.stderr).toBe("");
  return run.stdout.trim();
}

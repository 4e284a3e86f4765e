import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { type World, type WorldOptions, copyOf, home, makeWorld } from "./world.ts";

const SLOW = 120_000;
let world: World;
afterEach(() => world.close());
afterAll(() => rmSync(home, { recursive: true, force: true }));

function given(files: Record<string, unknown>, options: Omit<WorldOptions, "files"> = {}): World {
  return (world = makeWorld({ files, ...options }));
}

/** Runs the bundle's start command from another place, where its build folder cannot help it. */
function started(start: readonly string[]): string {
  const copy = copyOf(world.output);
  rmSync(world.source, { recursive: true, force: true });
  try {
    const bin = join(copy, "node_modules", ".bin");
    const run = spawnSync(start[0]!, start.slice(1), { cwd: copy, encoding: "utf8", env: { PATH: `${bin}:${process.env["PATH"]}` } });
    expect(run.stderr).toBe("");
    return run.stdout.trim();
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** Writes the lockfile that `manager` makes, by really running npm. */
function lockWithNpm(): void {
  const args = ["install", "--package-lock-only", "--no-audit", "--no-fund", "--omit-lockfile-registry-resolved"];
  const run = spawnSync("npm", args, { cwd: world.source, encoding: "utf8" });
  expect(run.status, run.stderr).toBe(0);
}

const APP = "console.log(require('ms')(60000), process.env.NODE_ENV ?? '-')";
const DEPENDENCIES = { dependencies: { ms: "2.1.3" }, devDependencies: { "is-odd": "3.0.1" } };

describe("without dependencies", () => {
  it("bundles the source as it is, without an install", async () => {
    given({
      "package.json": { scripts: { start: "node a.js" }, engines: { node: ">=20" } },
      "a.js": "console.log('up')",
      ".git/HEAD": "x",
    });
    const result = await world.build();
    expect(result).toEqual({ kind: "node-bundle", metadata: { start: ["node", "a.js"], env: {}, node: ">=20" }, image: null });
    expect(readdirSync(world.output).sort()).toEqual(["a.js", "package.json"]);
    expect(readdirSync(world.source)).toEqual([]);
    expect(world.lines).toEqual([]);
    expect(started(result.metadata.start)).toBe("up");
  });

  it("needs no package.json", async () => {
    given({ "server.js": "console.log('up')" });
    expect((await world.build()).metadata).toEqual({ start: ["node", "server.js"], env: {}, node: null });
  });

  it("runs the build script, and starts what it made", async () => {
    const build = `node -e "require('fs').writeFileSync('made.js', 'console.log(1)')"`;
    given({ "package.json": { main: "made.js", scripts: { build } } });
    const { metadata } = await world.build();
    expect(metadata.start).toEqual(["node", "made.js"]);
    expect(started(metadata.start)).toBe("1");
  });

  it("runs another script, or none, as the manifest says", async () => {
    const scripts = { start: "node .", build: "node -e 1/0+x", compile: "node -e \"require('fs').writeFileSync('compiled', '')\"" };
    given({ "package.json": { scripts }, "index.js": "" });
    await world.build({ spec: { build: "compile" } });
    expect(existsSync(join(world.output, "compiled"))).toBe(true);
    world.close();
    given({ "package.json": { scripts }, "index.js": "" });
    await world.build({ spec: { build: false } });
    expect(existsSync(join(world.output, "compiled"))).toBe(false);
  });
});

describe("what does not fit", () => {
  it("a script that is not there", async () => {
    given({ "package.json": { scripts: { start: "node ." } } });
    await expect(world.build({ spec: { build: "compile" } })).rejects.toMatchObject({ code: "SOURCE_UNFIT", hint: "It has: start." });
  });

  it("nothing to start", async () => {
    given({ "package.json": { scripts: { test: "x" } } });
    await expect(world.build()).rejects.toMatchObject({
      code: "SOURCE_UNFIT",
      message: expect.stringContaining("nothing says how to start"),
    });
  });

  it("a main that the build did not make", async () => {
    given({ "package.json": { main: "dist/x.js" } });
    await expect(world.build()).rejects.toMatchObject({ message: expect.stringContaining("dist/x.js") });
  });

  it("a start script for a shell, before anything is installed", async () => {
    given({ "package.json": { ...DEPENDENCIES, scripts: { start: "node a && node b" } } });
    await expect(world.build()).rejects.toMatchObject({ code: "SOURCE_UNFIT" });
    expect(world.lines).toEqual([]);
  });

  it("a link that leads out of the source, by name", async () => {
    given({ "package.json": { scripts: { start: "node ." } } });
    mkdirSync(join(world.source, "config"));
    symlinkSync("../../../etc/passwd", join(world.source, "config", "users"));
    await expect(world.build()).rejects.toMatchObject({ code: "SOURCE_UNFIT", message: expect.stringContaining("config/users") });
  });

  it("a link that leads out by way of another link", async () => {
    given({ "package.json": { scripts: { start: "node ." } }, "a/b/file": "" });
    symlinkSync("a/b", join(world.source, "short"));
    symlinkSync("short/../../../out", join(world.source, "sly"));
    writeFileSync(join(world.source, "..", "out"), "");
    await expect(world.build()).rejects.toMatchObject({ code: "SOURCE_UNFIT" });
  });

  it("but an absolute link to the inside, which becomes relative", async () => {
    given({ "package.json": { scripts: { start: "node ." } }, "real/file": "x", "nothing.txt": "" });
    symlinkSync(join(world.source, "real"), join(world.source, "linked"));
    symlinkSync("not-there", join(world.source, "dangling"));
    await world.build();
    expect(readlinkSync(join(world.output, "linked"))).toBe("real");
    expect(readFileSync(join(world.output, "linked", "file"), "utf8")).toBe("x");
  });
});

describe("a failing build", () => {
  it("names the command and shows the last lines", async () => {
    given({ "package.json": { scripts: { start: "node .", build: "node -e \"console.error('no such module'); process.exit(3)\"" } } });
    const failure = await world.build().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "BUILD_FAILED", message: "`npm run build` failed with exit code 3" });
    expect((failure as { logs: string[] }).logs).toContain("no such module");
  });

  it("says what to do about a program that is not installed", async () => {
    given({ "package.json": { scripts: { start: "node .", build: "no-such-compiler" } } });
    await expect(world.build()).rejects.toMatchObject({ hint: expect.stringContaining("devDependencies") });
  });

  it("stops when the call is cancelled", async () => {
    const abort = new AbortController();
    given({ "package.json": { scripts: { start: "node .", build: 'node -e "setInterval(() => {}, 1000)"' } } }, { signal: abort.signal });
    setTimeout(() => abort.abort(), 1_000);
    await expect(world.build()).rejects.toMatchObject({ code: "ABORTED" });
  });
});

describe("secrets of the build", () => {
  const build = (code: string) => ({ "package.json": { scripts: { start: "node .", build: `node -e "${code}"` } }, "index.js": "" });

  it("reach the script, and neither the log nor the bundle", async () => {
    given(build("console.log('token ' + process.env.NPM_TOKEN)"), { secrets: { NPM_TOKEN: "s3cr3t-value" } });
    await world.build();
    expect(world.lines).toContain("token [secret]");
    expect(world.lines.join()).not.toContain("s3cr3t-value");
  });

  it("are refused in the bundle", async () => {
    given(build("require('fs').writeFileSync('config.js', 'x=' + process.env.NPM_TOKEN)"), { secrets: { NPM_TOKEN: "s3cr3t-value" } });
    await expect(world.build()).rejects.toMatchObject({ code: "BUILD_FAILED", message: expect.stringMatching(/NPM_TOKEN.*config\.js/) });
  });
});

describe("npm", () => {
  it(
    "installs production dependencies from the lockfile when nothing is built",
    async () => {
      given({ "package.json": { ...DEPENDENCIES, scripts: { start: "node ." } }, "index.js": APP });
      lockWithNpm();
      const { metadata } = await world.build();
      expect(world.lines).toContain("$ npm ci --omit=dev");
      expect(existsSync(join(world.output, "node_modules", "is-odd"))).toBe(false);
      expect(existsSync(join(world.output, "node_modules", ".package-lock.json"))).toBe(false);
      expect(started(metadata.start)).toBe("1m -");
    },
    SLOW,
  );

  it(
    "builds with dev dependencies whatever NODE_ENV is, and removes them afterwards",
    async () => {
      const scripts = {
        start: "NODE_ENV=production node .",
        build: "node -e \"require('fs').writeFileSync('odd', String(require('is-odd')(3)))\"",
      };
      given({ "package.json": { ...DEPENDENCIES, scripts }, "index.js": APP });
      lockWithNpm();
      const before = process.env["NODE_ENV"];
      process.env["NODE_ENV"] = "production";
      const { metadata } = await world.build().finally(() => (process.env["NODE_ENV"] = before));
      expect(readFileSync(join(world.output, "odd"), "utf8")).toBe("true");
      expect(existsSync(join(world.output, "node_modules", "is-odd"))).toBe(false);
      expect(metadata.env).toEqual({ NODE_ENV: "production" });
      expect(started(metadata.start)).toBe("1m -");
    },
    SLOW,
  );

  it(
    "installs without a lockfile, and warns",
    async () => {
      given({ "package.json": { dependencies: { ms: "2.1.3" }, scripts: { start: "node ." } }, "index.js": APP });
      await world.build();
      expect(world.lines.join("\n")).toContain("cannot be repeated exactly");
      expect(existsSync(join(world.output, "node_modules", "ms"))).toBe(true);
    },
    SLOW,
  );

  it(
    "refuses a lockfile that does not fit package.json, and says how to mend it",
    async () => {
      given({ "package.json": { dependencies: { ms: "2.1.3" }, scripts: { start: "node ." } } });
      lockWithNpm();
      writeFileSync(join(world.source, "package.json"), JSON.stringify({ dependencies: { ms: "2.1.3", "is-odd": "3.0.1" } }));
      await expect(world.build({ start: "node ." })).rejects.toMatchObject({
        code: "BUILD_FAILED",
        hint: expect.stringContaining("lockfile"),
      });
    },
    SLOW,
  );

  it(
    "refuses a start command that a dev dependency brought",
    async () => {
      given({ "package.json": { devDependencies: { semver: "7.7.2" }, scripts: { start: "semver 1.0.0", build: "semver 1.0.0" } } });
      lockWithNpm();
      await expect(world.build()).rejects.toMatchObject({ code: "SOURCE_UNFIT", message: expect.stringContaining("semver") });
    },
    SLOW,
  );

  it(
    "links workspaces inside the bundle",
    async () => {
      given({
        "package.json": { workspaces: ["packages/*"], dependencies: { "@acme/words": "1.0.0" }, scripts: { start: "node ." } },
        "packages/words/package.json": { name: "@acme/words", version: "1.0.0", main: "w.js" },
        "packages/words/w.js": "module.exports = 'linked'",
        "index.js": "console.log(require('@acme/words'))",
      });
      lockWithNpm();
      const { metadata } = await world.build();
      expect(started(metadata.start)).toBe("linked");
    },
    SLOW,
  );

  it(
    "refuses a dependency on a folder outside, by name",
    async () => {
      given({ "package.json": { dependencies: { outside: "file:../outside" }, scripts: { start: "node ." } } });
      mkdirSync(join(world.source, "..", "outside"));
      writeFileSync(join(world.source, "..", "outside", "package.json"), JSON.stringify({ name: "outside", version: "1.0.0" }));
      await expect(world.build()).rejects.toMatchObject({ code: "SOURCE_UNFIT", message: expect.stringContaining("node_modules/outside") });
    },
    SLOW,
  );
});

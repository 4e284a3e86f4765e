import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { type World, home, makeWorld } from "./world.ts";

let world: World;
afterEach(() => world.close());
afterAll(() => rmSync(home, { recursive: true, force: true }));

function given(files: Record<string, unknown>, secrets: Record<string, string> = {}): World {
  return (world = makeWorld({ files, secrets }));
}

function published(): string[] {
  const found = readdirSync(world.output, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(world.output.length + 1))
    .sort();
}

const writes = (path: string, text = "made"): string =>
  `node -e "const fs=require('fs'),p='${path}';fs.mkdirSync(require('path').dirname(p),{recursive:true});fs.writeFileSync(p,${text.startsWith("process") ? text : `'${text}'`})"`;

describe("a plain folder", () => {
  it("is published as it is, without what is not for readers", async () => {
    given({
      "index.html": "<h1>",
      "a/b.css": "",
      "helix.yaml": "project: x",
      ".env": "KEY=1",
      ".git/config": "",
      "a/.htaccess": "",
      "node_modules/x/index.js": "",
      "package.json": { name: "x" },
    });
    expect(await world.build()).toEqual({ kind: "static-site", metadata: { fallback: null }, image: null });
    expect(published()).toEqual(["a/b.css", "index.html", "package.json"]);
  });

  it("may be one folder of the source", async () => {
    given({ "site/index.html": "", "site/a.js": "", "secret.txt": "" });
    await world.build({ spec: { dir: "./site/", fallback: "index.html" } });
    expect(published()).toEqual(["a.js", "index.html"]);
  });

  it("is found in a usual place", async () => {
    given({ "public/index.html": "", "readme.md": "" });
    await world.build();
    expect(published()).toEqual(["index.html"]);
  });
});

describe("what does not fit", () => {
  it.each(["../up", "/etc", "a/../../b", "a\\b"])("a dir of %s", async (dir) => {
    given({ "index.html": "" });
    await expect(world.build({ spec: { dir } })).rejects.toMatchObject({ code: "INVALID_SPEC", message: expect.stringContaining(dir) });
  });

  it("a fallback above the folder", async () => {
    given({ "index.html": "" });
    await expect(world.build({ spec: { fallback: "../index.html" } })).rejects.toMatchObject({ code: "INVALID_SPEC" });
  });

  it("a fallback that is not there, or not published", async () => {
    given({ "index.html": "", ".hidden.html": "" });
    await expect(world.build({ spec: { fallback: "app.html" } })).rejects.toMatchObject({ code: "SOURCE_UNFIT" });
    world.close();
    given({ "index.html": "", ".hidden.html": "" });
    await expect(world.build({ spec: { fallback: ".hidden.html" } })).rejects.toMatchObject({ code: "SOURCE_UNFIT" });
  });

  it("no index.html anywhere, saying where it looked", async () => {
    given({ "readme.md": "" });
    await expect(world.build()).rejects.toMatchObject({
      code: "SOURCE_UNFIT",
      message: expect.stringContaining("., public, dist, build, out"),
    });
  });

  it("a dir that is not there, or has no index.html", async () => {
    given({ "index.html": "", "a/b.txt": "" });
    await expect(world.build({ spec: { dir: "web" } })).rejects.toMatchObject({
      message: expect.stringContaining("there is no folder web"),
    });
    await expect(world.build({ spec: { dir: "a" } })).rejects.toMatchObject({ message: expect.stringContaining("has no index.html") });
  });

  it("a dir that is a link out of the source", async () => {
    given({ "index.html": "" });
    symlinkSync("/etc", join(world.source, "site"));
    await expect(world.build({ spec: { dir: "site" } })).rejects.toMatchObject({
      code: "SOURCE_UNFIT",
      message: expect.stringContaining("site"),
    });
  });
});

describe("symbolic links", () => {
  it("become what they point to", async () => {
    given({ "dist/index.html": "", "dist/a.txt": "a", "assets/logo.svg": "logo" });
    symlinkSync("a.txt", join(world.source, "dist", "z.txt"));
    symlinkSync("../assets", join(world.source, "dist", "assets"));
    await world.build({ spec: { dir: "dist" } });
    expect(published()).toEqual(["a.txt", "assets/logo.svg", "index.html", "z.txt"]);
    expect(readFileSync(join(world.output, "z.txt"), "utf8")).toBe("a");
  });

  it.each<[string, string, string]>([
    ["out of the source", "../outside.txt", "points outside the source"],
    ["by an absolute path", "/etc/passwd", "points outside the source"],
    ["to nothing", "gone.txt", "is not there"],
    ["to a dot file", ".env", "never published"],
    ["around", ".", "a folder around it"],
  ])("are refused by name when they lead %s", async (_name, target, why) => {
    given({ "index.html": "", ".env": "KEY=1" });
    writeFileSync(join(world.source, "..", "outside.txt"), "");
    mkdirSync(join(world.source, "a"));
    symlinkSync(target.startsWith("/") ? target : join("..", target), join(world.source, "a", "sly"));
    const failure = world.build();
    await expect(failure).rejects.toMatchObject({ code: "SOURCE_UNFIT", message: expect.stringMatching(new RegExp(`a/sly.*${why}`)) });
  });
});

describe("a build", () => {
  it("is run, and its folder found", async () => {
    given({ "package.json": { scripts: { build: writes("dist/index.html") } }, "index.html": "template", "public/index.html": "template" });
    await world.build();
    expect(readFileSync(join(world.output, "index.html"), "utf8")).toBe("made");
  });

  it("counts for more than a folder that was there before", async () => {
    given({ "package.json": { scripts: { build: writes("out/index.html") } }, "dist/index.html": "stale" });
    await world.build();
    expect(readFileSync(join(world.output, "index.html"), "utf8")).toBe("made");
  });

  it("keeps what a tool calls node_modules", async () => {
    given({ "package.json": { scripts: { build: `${writes("dist/index.html")} && ${writes("dist/node_modules/x.js")}` } } });
    await world.build();
    expect(published()).toEqual(["index.html", "node_modules/x.js"]);
  });

  it("may be another script, or none", async () => {
    const files = { "package.json": { scripts: { build: "node -e 1/0+x", pages: writes("site/index.html") } }, "index.html": "" };
    given(files);
    await world.build({ spec: { build: "pages", dir: "site" } });
    expect(published()).toEqual(["index.html"]);
    world.close();
    given(files);
    await world.build({ spec: { build: false } });
    expect(published()).toEqual(["index.html", "package.json"]);
  });

  it("that fails names the command", async () => {
    given({ "package.json": { scripts: { build: "node -e 1/0+x" } } });
    await expect(world.build()).rejects.toMatchObject({ code: "BUILD_FAILED", message: "`npm run build` failed with exit code 1" });
  });

  it("that makes no site says where it was looked for", async () => {
    given({ "package.json": { scripts: { build: writes("elsewhere/index.html") } } });
    await expect(world.build()).rejects.toMatchObject({
      code: "BUILD_FAILED",
      message: expect.stringContaining("dist, build, out, public"),
    });
    world.close();
    given({ "package.json": { scripts: { build: writes("elsewhere/index.html") } } });
    await expect(world.build({ spec: { dir: "www" } })).rejects.toMatchObject({
      code: "BUILD_FAILED",
      message: expect.stringContaining("www"),
    });
  });

  it("must not publish a secret", async () => {
    given({ "package.json": { scripts: { build: writes("dist/index.html", "process.env.API_KEY") } } }, { API_KEY: "s3cr3t-value" });
    await expect(world.build()).rejects.toMatchObject({ code: "BUILD_FAILED", message: expect.stringContaining("API_KEY") });
  });

  it("installs from the lockfile first", async () => {
    const build = "node -e \"require('fs').mkdirSync('dist');require('fs').writeFileSync('dist/index.html', require('ms')(60000))\"";
    given({ "package.json": { scripts: { build }, devDependencies: { ms: "2.1.3" } } });
    const lock = spawnSync("npm", ["install", "--package-lock-only", "--no-audit", "--no-fund"], { cwd: world.source, encoding: "utf8" });
    expect(lock.status, lock.stderr).toBe(0);
    await world.build();
    expect(readFileSync(join(world.output, "index.html"), "utf8")).toBe("1m");
    expect(world.lines).toContain("$ npm ci --include=dev");
  }, 120_000);
});

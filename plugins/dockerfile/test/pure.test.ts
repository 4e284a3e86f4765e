import { argumentsOf, buildWithSecrets } from "../src/buildkit.ts";
import { afterEach, describe, expect, it } from "vitest";
import { build } from "../src/build.ts";
import { parseDockerIgnore } from "../src/docker-ignore.ts";
import { baseImages } from "../src/dockerfile.ts";
import { buildFailed } from "../src/failures.ts";
import { type World, makeWorld } from "./world.ts";

let world: World | null = null;
afterEach(() => world?.close());

const OPTIONS = { dockerfile: "Dockerfile", target: undefined, args: {}, labels: {}, platform: null };

describe(".dockerignore", () => {
  it.each<[string, string, boolean]>([
    ["node_modules", "node_modules/a/b.js", true],
    ["node_modules", "web/node_modules/a.js", false],
    ["**/node_modules", "web/node_modules/a.js", true],
    ["**/node_modules", "node_modules", true],
    ["*.log", "a.log", true],
    ["*.log", "logs/a.log", false],
    ["**/*.log", "logs/a.log", true],
    ["/dist/", "dist/a.js", true],
    ["a?c", "abc", true],
    ["a?c", "a/c", false],
    ["[ab].txt", "b.txt", true],
    ["[^ab].txt", "b.txt", false],
    ["a\\*b", "a*b", true],
    ["a\\*b", "axb", false],
    ["a.b", "axb", false],
    ["docs/**", "docs/x/y.md", true],
    ["*\n!keep.txt", "keep.txt", false],
    ["docs\n!docs/readme.md", "docs/readme.md", false],
    ["docs\n!docs/readme.md", "docs/other.md", true],
    ["!a\na", "a", true],
    ["# a\n\n  b  ", "b", true],
    ["# a", "# a", false],
    ["./a/../b", "b", true],
    [".", "a", false],
  ])("%j and %s", (text, path, isOut) => {
    expect(parseDockerIgnore(text)(path)).toBe(isOut);
  });

  it("names a pattern that cannot be read", () => {
    expect(() => parseDockerIgnore("a\n[b")).toThrow(
      expect.objectContaining({ code: "SOURCE_UNFIT", message: expect.stringContaining("[b") }),
    );
  });
});

describe("base images", () => {
  it("are those of FROM lines, without stages", () => {
    const text = `ARG V=24
FROM node:24 AS build
RUN echo FROM nothing
from --platform=linux/amd64 \\
  debian:12 as Base
FROM base
FROM scratch
FROM node:24`;
    expect(baseImages(text)).toEqual(["node:24", "debian:12"]);
  });
});

describe("detect", () => {
  it("takes a Dockerfile, and says that it needs docker", async () => {
    world = makeWorld({ Dockerfile: "FROM scratch" });
    const found = await build.detect(world.context, { source: world.source });
    expect(found).toMatchObject({ fits: true, service: { runtime: "docker" } });
  });

  it("takes nothing else", async () => {
    world = makeWorld({ "Dockerfile/readme": "a folder of that name" });
    expect(await build.detect(world.context, { source: world.source })).toMatchObject({ fits: false, confidence: 0 });
  });
});

describe("failures", () => {
  it.each([
    ["pull access denied for nope, repository does not exist", "base image"],
    ["the --mount option requires BuildKit", "BuildKit"],
    ["COPY failed: file not found in build context: stat x: file does not exist", ".dockerignore"],
  ])("tell what to do about %j", (message, hint) => {
    expect(buildFailed(message, [])).toMatchObject({ code: "BUILD_FAILED", hint: expect.stringContaining(hint) });
  });

  it("tell a full disk apart", () => {
    expect(buildFailed("write /x: no space left on device", [])).toMatchObject({ code: "DISK_FULL" });
  });

  it("name an engine that is not there, and what else could be chosen", async () => {
    world = makeWorld({ Dockerfile: "FROM scratch" }, { config: { socket: "/nowhere/docker.sock", program: "" } });
    const failure = { code: "UNAVAILABLE", retryable: true, hint: expect.stringContaining("build: node") };
    await expect(build.toolchain(world.context)).rejects.toMatchObject(failure);
    await expect(world.build()).rejects.toMatchObject(failure);
  });

  it("name a client without BuildKit when the build needs secrets", async () => {
    world = makeWorld({ Dockerfile: "FROM scratch" }, { config: { socket: "/var/run/docker.sock", program: "/bin/false" } });
    const input = { source: world.source, secrets: [{ name: "NPM_TOKEN", version: "1" }], options: OPTIONS };
    await expect(buildWithSecrets(world.context, input)).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringContaining("/bin/false"),
    });
  });

  it("call the client with names and paths", () => {
    const secrets = [{ name: "NPM_TOKEN", version: "1" }];
    const argv = argumentsOf({
      socket: "/s",
      source: "/src",
      idFile: "/id",
      folder: "/m",
      secrets,
      options: { ...OPTIONS, args: { A: "b c" } },
    });
    expect(argv.join(" ")).toContain("--build-arg A=b c --secret id=NPM_TOKEN,src=/m/NPM_TOKEN /src");
  });

  it("refuse a Dockerfile outside the source, and say when there is none", async () => {
    world = makeWorld({ "docker/web": "FROM scratch" });
    await expect(world.build({ spec: { path: "../x" } })).rejects.toMatchObject({ code: "INVALID_SPEC" });
    await expect(world.build()).rejects.toMatchObject({ code: "SOURCE_UNFIT", message: expect.stringContaining("Dockerfile") });
  });
});

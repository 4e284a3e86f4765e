import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { projectName, readManifestFile } from "../src/project/manifest-file.ts";
import { manifestText } from "../src/project/manifest-text.ts";
import { nameFromFolder } from "../src/project/name-from-folder.ts";
import { folderWith } from "./support/folder.ts";

describe("a project's name from its folder", () => {
  it("is always a valid one", () => {
    const names = ["shop", "My Shop", "über-café", "123go", "@scope/app", "...", "", "a".repeat(80), "x--y__z", "日本", "-end-"];
    const made = names.map((name) => nameFromFolder(`/srv/${name}`));
    expect(made.slice(0, 4)).toEqual(["shop", "my-shop", "uber-cafe", "go"]);
    for (const name of made) expect(name).toMatch(/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/);
  });
});

describe("the manifest that init writes", () => {
  const build = { plugin: "node", confidence: 90, why: "package.json has\na start script # not a comment" };

  it("is read back as what was found, with the why as a comment", () => {
    const text = manifestText({
      project: "shop",
      services: [
        { name: "web", source: ".", build: { ...build, service: { build: "node", start: "node server.js", health: { path: "/health" } } } },
        { name: "site", source: "./si: te", build: { ...build, plugin: "static" } },
      ],
      runtime: "docker",
    });
    expect(parse(text)).toEqual({
      project: "shop",
      services: {
        web: { source: ".", build: "node", runtime: "docker", start: "node server.js", health: { path: "/health" } },
        site: { source: "./si: te", build: "static", runtime: "docker" },
      },
    });
    expect(text).toContain("build: node # package.json has a start script # not a comment\n");
  });

  it("says nothing that was not asked for", () => {
    expect(parse(manifestText({ project: "true", services: [{ name: "web", source: ".", build }], runtime: null }))).toEqual({
      project: "true",
      services: { web: { source: ".", build: "node" } },
    });
  });
});

describe("a manifest, as far as the command reads it", () => {
  const text = `
project: shop
services:
  web: { build: node, start: node server.js }
  site: { source: ./site, build: static, static: { dir: dist } }
  bare:
environments:
  staging: { services: { web: { source: ./next } } }
`;

  it("knows sources, builds and static folders, with the environment's overrides", () => {
    const cwd = folderWith({ "helix.yaml": text });
    expect(readManifestFile({ cwd, environment: "production" })).toMatchObject({
      folder: cwd,
      name: "helix.yaml",
      shown: "helix.yaml",
      project: "shop",
      services: [
        { service: "web", source: ".", build: "node", start: "node server.js", staticDir: null },
        { service: "site", source: "./site", build: "static", staticDir: "dist" },
        { service: "bare", source: ".", build: null, start: null, staticDir: null },
      ],
    });
    expect(readManifestFile({ cwd, environment: "staging" }).services[0]).toMatchObject({ source: "./next" });
  });

  it("is read as far as it goes, whatever is in it", () => {
    for (const broken of ["", "[]", "project: [", "services: 3", "services: { web: 4 }", "\u0000", "a: &a [*a]"]) {
      const cwd = folderWith({ "helix.yaml": broken });
      expect(readManifestFile({ cwd, environment: "production" }).text).toBe(broken);
      expect(() => projectName({ cwd, environment: "production" })).toThrow(expect.objectContaining({ code: "MANIFEST_INVALID" }));
    }
  });

  it("that is not there is named, and a named project needs none", () => {
    const cwd = folderWith({});
    expect(() => readManifestFile({ cwd, environment: "production" })).toThrow(
      expect.objectContaining({ code: "MANIFEST_NOT_FOUND", message: expect.stringContaining(cwd) }),
    );
    expect(() => readManifestFile({ cwd, file: "other.yaml", environment: "production" })).toThrow(
      expect.objectContaining({ message: expect.stringContaining("other.yaml") }),
    );
    expect(projectName({ cwd, environment: "production", project: "shop" })).toBe("shop");
  });
});

describe("a manifest whose aliases unfold to too much", () => {
  it("is refused, and no bug of ours", async () => {
    const ten = (of: string) => `[${Array.from({ length: 10 }, () => of).join(", ")}]`;
    const text = `x-a: &a ${ten("x")}\nx-b: &b ${ten("*a")}\nx-c: &c ${ten("*b")}\nx-d: ${ten("*c")}\nproject: shop\n`;
    const folder = folderWith({ "helix.yaml": text });
    expect(() => projectName({ cwd: folder, environment: "production" })).toThrow(
      expect.objectContaining({
        code: "MANIFEST_INVALID",
        message: expect.stringContaining("helix.yaml: its anchors and aliases") as string,
      }),
    );
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { detectManager, hasDependencies, readPackageJson } from "../src/index.ts";

const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "helix-manager-"));
  folders.push(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

async function detect(files: Record<string, string>, packageManager?: string) {
  const folder = folderWith({ "package.json": JSON.stringify({ packageManager }), ...files });
  return detectManager(folder, (await readPackageJson(folder))!);
}

const NPM = { "package-lock.json": '{ "lockfileVersion": 3 }' };
const PNPM = { "pnpm-lock.yaml": "lockfileVersion: '9.0'\n" };
const YARN = { "yarn.lock": "# yarn lockfile v1\n" };
const BERRY = { "yarn.lock": "# This file is generated\n\n__metadata:\n  version: 8\n" };

describe("the package manager", () => {
  it.each<[string, Record<string, string>, string | undefined, object]>([
    ["npm without a lockfile", {}, undefined, { kind: "npm", lockfile: null, wanted: null }],
    ["npm", NPM, undefined, { kind: "npm", lockfile: { name: "package-lock.json", format: "3" } }],
    [
      "npm's shrinkwrap first",
      { ...NPM, "npm-shrinkwrap.json": "{}" },
      undefined,
      { lockfile: { name: "npm-shrinkwrap.json" }, ignored: [] },
    ],
    ["pnpm with its format", PNPM, undefined, { kind: "pnpm", lockfile: { format: "9.0" } }],
    ["pnpm of an older format", { "pnpm-lock.yaml": "lockfileVersion: 5.4\n" }, undefined, { lockfile: { format: "5.4" } }],
    ["yarn 1", YARN, undefined, { kind: "yarn-classic" }],
    ["yarn 2 and later", BERRY, undefined, { kind: "yarn-berry" }],
    ["the one that is named", { ...NPM, ...PNPM }, "npm@11.0.0", { kind: "npm", wanted: "11.0.0", ignored: ["pnpm-lock.yaml"] }],
    ["a version with its hash", PNPM, "pnpm@9.1.0+sha512.abc", { kind: "pnpm", wanted: "9.1.0" }],
    ["a name without a version", BERRY, "yarn", { kind: "yarn-berry", wanted: null }],
    ["yarn by its version", {}, "yarn@4.1.0", { kind: "yarn-berry", wanted: "4.1.0", lockfile: null }],
    ["yarn 1 by its version", {}, "yarn@1.22.22", { kind: "yarn-classic" }],
    ["not one that is not known", NPM, "bun@1.0.0", { kind: "npm", wanted: null }],
    ["several, of which one is used", { ...NPM, ...YARN }, undefined, { kind: "yarn-classic", ignored: ["package-lock.json"] }],
  ])("is %s", async (_name, files, packageManager, expected) => {
    expect(await detect(files, packageManager)).toMatchObject(expected);
  });
});

describe("package.json", () => {
  it("is null where there is none", async () => {
    expect(await readPackageJson(folderWith({}))).toBeNull();
  });

  it.each(["{ nope", "[]", "null", '"x"'])("is refused when it is %s", async (text) => {
    const refused = expect.objectContaining({ code: "SOURCE_UNFIT", message: expect.stringContaining("package.json is not valid") });
    await expect(readPackageJson(folderWith({ "package.json": text }))).rejects.toEqual(refused);
  });

  it("is read with what is of another type left out", async () => {
    const text = `\uFEFF${JSON.stringify({ main: 5, scripts: { a: "x", b: 1 }, dependencies: [], engines: { node: ">=20" } })}`;
    const read = await readPackageJson(folderWith({ "package.json": text }));
    expect(read).toMatchObject({ main: null, scripts: { a: "x" }, dependencies: {}, node: ">=20", dependencyCount: 0 });
  });

  it.each([
    [{}, false],
    [{ devDependencies: { a: "1" } }, true],
    [{ optionalDependencies: { a: "1" } }, true],
    [{ peerDependencies: { a: "1" } }, true],
    [{ workspaces: ["packages/*"] }, true],
  ])("%j needs an install: %s", async (json, needs) => {
    expect(hasDependencies((await readPackageJson(folderWith({ "package.json": JSON.stringify(json) })))!)).toBe(needs);
  });
});

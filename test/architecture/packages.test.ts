import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root, sourceTree } from "./source-file.ts";

interface PackageJson {
  readonly name: string;
  readonly license?: string;
  readonly engines?: { readonly node?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const files = sourceTree();
const folders = ["packages", "plugins"].flatMap((kind) => readdirSync(join(root, kind)).map((name) => `${kind}/${name}`));
const read = (folder: string) => JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as PackageJson;

describe.each(folders)("%s", (folder) => {
  const { name, license, engines, dependencies, optionalDependencies, peerDependencies } = read(folder);
  const declared = new Set(Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }));

  test("declares what it imports", () => {
    const imported = files.filter(({ path }) => path.startsWith(`${folder}/`)).flatMap(({ imports }) => imports.map((one) => one.package));
    const missing = imported.filter((one) => one !== null && one !== name && !declared.has(one));
    expect([...new Set(missing)]).toEqual([]);
  });

  test("has the licence and the Node range of the project", () => {
    expect([license, engines?.node]).toEqual(["Apache-2.0", ">=20.19"]);
  });
});

describe("tracked files", () => {
  // Put together, so that this file does not hold what it looks for.
  const forbidden = [
    ["registry", "npmjs"],
    ["registry", "yarnpkg"],
    ["npm", "pkg", "github"],
    ["registry", "npmmirror"],
  ].map((parts) => parts.join("."));
  const tracked = existsSync(join(root, ".git"))
    ? execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 }).split("\0")
    : [];
  const texts = tracked.filter((path) => path !== "" && existsSync(join(root, path)) && !/\.(png|jpg|ico|woff2?|gz|xz)$/.test(path));

  test.skipIf(tracked.length === 0)("name no package registry: the installer's own settings decide", () => {
    expect(texts.length).toBeGreaterThan(100);
    const naming = texts.filter((path) => {
      const text = readFileSync(join(root, path), "utf8");
      return forbidden.some((host) => text.includes(host));
    });
    expect(naming).toEqual([]);
  });
});

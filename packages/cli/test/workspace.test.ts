import { parse } from "yaml";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { checkSiblings } from "../src/project/check-siblings.ts";
import { readManifestFile } from "../src/project/manifest-file.ts";
import { workspaceAt } from "../src/project/workspace.ts";
import { folderWith } from "./support/folder.ts";
import { helix } from "./support/helix.ts";

const json = JSON.stringify;
const lib = { "libs/words/package.json": json({ name: "@acme/words" }), "libs/words/index.js": "" };
const web = (dependencies: object, start = "node server.js") => ({
  "apps/web/package.json": json({ name: "web", scripts: { start }, dependencies }),
  "apps/web/server.js": "",
});
const manifest = (source: string, build = "node") => ({
  "helix.yaml": `project: shop\nservices:\n  web: { source: ${source}, build: ${build} }\n`,
});
const check = (cwd: string, folder = "") => checkSiblings(readManifestFile({ cwd: join(cwd, folder), environment: "production" }));

it.each<[string, Record<string, string>, string]>([
  ["npm", { "package.json": json({ workspaces: ["apps/*", "libs/*"] }) }, "*"],
  ["yarn", { "package.json": json({ workspaces: { packages: ["apps/web", "libs/**"] } }) }, "^1.0.0"],
  ["pnpm", { "pnpm-workspace.yaml": "packages: [apps/*, 'libs/*', '!libs/old']\n", "package.json": "{}" }, "workspace:*"],
])("one package of a workspace (%s) that needs another is refused, with what to write", (_manager, root, version) => {
  const cwd = folderWith({ ...root, ...lib, ...web({ "@acme/words": version, semver: "7" }), ...manifest("./apps/web") });
  expect(() => check(cwd)).toThrow(
    expect.objectContaining({
      code: "SOURCE_UNFIT",
      message: expect.stringContaining("web is built from ./apps/web alone, and needs @acme/words (libs/words)"),
      options: expect.objectContaining({
        hint: expect.stringMatching(/^Build from the root: `source: \.`.*`start: node apps\/web\/server\.js`/),
      }),
    }),
  );
});

it("a manifest inside of the package is told to move up", () => {
  const root = folderWith({
    "package.json": json({ workspaces: ["apps/*", "libs/*"] }),
    ...lib,
    ...web({ "@acme/words": "*" }, "next start"),
    "apps/web/helix.yaml": "project: shop\nservices: { web: { build: node } }\n",
  });
  const hint = expect.stringMatching(new RegExp(`^Move helix.yaml to ${root}, .*node apps/web/<file>`));
  expect(() => check(root, "apps/web")).toThrow(expect.objectContaining({ options: expect.objectContaining({ hint }) }));
});

it("what needs no sibling, or brings its own build, is let through", () => {
  const root = { "package.json": json({ workspaces: ["apps/*", "libs/*"] }), ...lib };
  check(folderWith({ ...root, ...web({ semver: "7" }), ...manifest("./apps/web") }));
  check(folderWith({ ...root, ...web({ "@acme/words": "*" }), ...manifest(".") }));
  check(folderWith({ ...root, ...web({ "@acme/words": "*" }), ...manifest("./apps/web", "dockerfile") }));
  check(folderWith({ ...web({ "@acme/words": "*" }), ...manifest("./apps/web") }));
  check(folderWith({ ...root, "apps/web/package.json": "{ nope", ...manifest("./apps/web") }));
});

it("members are found by name, whatever else lies there", () => {
  const root = folderWith({
    "package.json": json({ workspaces: ["./packages/**", "tools/cli-*"] }),
    "packages/a/package.json": json({ name: "a" }),
    "packages/deep/b/package.json": json({ name: "b" }),
    "packages/a/node_modules/c/package.json": json({ name: "c" }),
    "tools/cli-d/package.json": json({ name: "d" }),
    "tools/e/package.json": json({ name: "e" }),
    "packages/nameless/package.json": "{}",
  });
  expect([...workspaceAt(root)!.members.keys()].toSorted()).toEqual(["a", "b", "d"]);
  expect(workspaceAt(folderWith({ "package.json": "[]" }))).toBeNull();
});

it("init writes the packages of a workspace that can be deployed, from the root where they need each other", async () => {
  const cwd = folderWith({
    "package.json": json({ workspaces: ["apps/*", "libs/*"] }),
    ...lib,
    ...web({ "@acme/words": "*" }),
    "libs/web/package.json": json({ name: "other", scripts: { start: "node index.js" } }),
  });
  const { exit, stderr } = await helix(["init", "--yes"], { cwd });
  expect(exit, stderr).toBe(0);
  const { services } = parse(readFileSync(join(cwd, "helix.yaml"), "utf8")) as { services: object };
  expect(services).toEqual({
    web: { source: ".", build: "node", start: "node apps/web/server.js" },
    "libs-web": { source: "./libs/web", build: "node", start: "npm start" },
  });
}, 90_000);

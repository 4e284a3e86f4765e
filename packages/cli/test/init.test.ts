import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { expect, it } from "vitest";
import { folderWith } from "./support/folder.ts";
import { helix } from "./support/helix.ts";

// With the real builders, each in a process of its own.

const app = { "package.json": JSON.stringify({ name: "x", scripts: { start: "node server.js" } }), "server.js": "" };
const manifestIn = (folder: string) =>
  parse(readFileSync(join(folder, "helix.yaml"), "utf8")) as { services: Record<string, Record<string, unknown>> };

it("writes what it found, says why, and does not overwrite", async () => {
  const cwd = folderWith(app);
  const first = await helix(["init", "--yes", "--json", "--name", "shop", "--runtime", "docker"], { cwd });
  expect(first, first.stderr).toMatchObject({
    exit: 0,
    documents: [
      {
        ok: true,
        project: "shop",
        file: join(cwd, "helix.yaml"),
        detected: [{ service: "web", build: "node", why: expect.stringContaining("start") }],
      },
    ],
  });
  expect(manifestIn(cwd)).toMatchObject({ project: "shop", services: { web: { build: "node", runtime: "docker" } } });
  expect(await helix(["init", "--yes", "--json"], { cwd })).toMatchObject({
    exit: 2,
    documents: [{ ok: false, error: { code: "USAGE", hint: expect.stringContaining("--force") } }],
  });
  expect(await helix(["init", "--yes", "--force"], { cwd })).toMatchObject({
    exit: 0,
    stdout: `${join(cwd, "helix.yaml")}\n`,
    stderr: expect.stringContaining("package.json"),
  });
  expect(manifestIn(cwd).services["web"]).not.toHaveProperty("runtime");
});

it("finds services one folder down, and says when there is nothing", async () => {
  const cwd = folderWith({
    "api/package.json": app["package.json"],
    "api/server.js": "",
    "site/index.html": "<p>",
    "notes/todo.txt": "",
    "node_modules/x/package.json": "{}",
  });
  await helix(["init", "--yes"], { cwd });
  expect(manifestIn(cwd).services).toMatchObject({ api: { source: "./api", build: "node" }, site: { source: "./site", build: "static" } });
  const empty = folderWith({ "todo.txt": "" });
  expect(await helix(["init", "--yes", "--json"], { cwd: empty })).toMatchObject({
    exit: 4,
    documents: [{ ok: false, error: { code: "SOURCE_UNFIT" } }],
  });
  expect(existsSync(join(empty, "helix.yaml"))).toBe(false);
});

it("a deploy of a manifest with a mistake says where, and starts nothing", async () => {
  const cwd = folderWith({ ...app, "helix.yaml": "project: shop\nservices:\n  web:\n    build: node\n    strat: node server.js\n" });
  const home = join(folderWith({}), "home");
  for (const name of ["deploy", "plan"]) {
    const run = await helix([name, "--json"], { cwd, env: { HELIX_HOME: home } });
    expect(run, run.stderr).toMatchObject({ exit: 2, documents: [{ ok: false, error: { code: "MANIFEST_INVALID" } }] });
    expect(run.documents[0].error.message).toContain("helix.yaml:5:5");
  }
  expect(existsSync(home)).toBe(false);
});

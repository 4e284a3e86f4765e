import { afterEach, describe, expect, it } from "vitest";
import { detectApplication } from "../src/detect.ts";
import { type World, makeWorld } from "./world.ts";

let world: World;
afterEach(() => world.close());

async function detect(files: Record<string, unknown>) {
  world = makeWorld({ files });
  return detectApplication(world.source);
}

describe("detect", () => {
  it("takes a start script", async () => {
    const found = await detect({ "package.json": { scripts: { start: "node ." } }, "index.js": "" });
    expect(found).toMatchObject({ fits: true, confidence: 90, service: { start: "npm start" } });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["main", { "package.json": { main: "./lib/web.js" }, "lib/web.js": "" }, "node lib/web.js"],
    ["main without extension", { "package.json": { main: "lib/web" }, "lib/web.js": "" }, "node lib/web.js"],
    ["server.js before index.js", { "package.json": {}, "server.js": "", "index.js": "" }, "node server.js"],
    ["a module", { "package.json": { type: "module" }, "app.mjs": "" }, "node app.mjs"],
    ["no package.json", { "index.js": "" }, "node index.js"],
  ])("suggests a start command from %s", async (_name, files, start) => {
    expect(await detect(files)).toMatchObject({ fits: true, service: { start } });
  });

  it("takes a main that the build makes", async () => {
    const found = await detect({ "package.json": { main: "dist/index.js", scripts: { build: "tsc" } } });
    expect(found).toMatchObject({ fits: true, confidence: 40, service: { start: "node dist/index.js" } });
  });

  it.each<[string, Record<string, unknown>]>([
    ["a site that only builds", { "package.json": { scripts: { dev: "vite", build: "vite build" }, devDependencies: { vite: "8" } } }],
    ["a development server as start", { "package.json": { scripts: { start: "react-scripts start", build: "react-scripts build" } } }],
    ["a folder of pages", { "index.html": "" }],
    ["a library's package.json", { "package.json": { scripts: { test: "vitest" } } }],
  ])("leaves %s to others", async (_name, files) => {
    expect(await detect(files)).toMatchObject({ fits: false, confidence: 0 });
  });

  it("refuses a package.json that is not JSON", async () => {
    await expect(detect({ "package.json": "{ nope" })).rejects.toMatchObject({ code: "SOURCE_UNFIT" });
  });
});

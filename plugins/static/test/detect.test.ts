import { afterEach, describe, expect, it } from "vitest";
import { detectSite } from "../src/detect.ts";
import { type World, makeWorld } from "./world.ts";

let world: World;
afterEach(() => world.close());

async function detect(files: Record<string, unknown>) {
  world = makeWorld({ files });
  return detectSite(world.source);
}

describe("detect", () => {
  it("takes a folder of pages", async () => {
    expect(await detect({ "index.html": "" })).toEqual({ fits: true, why: "there is index.html", confidence: 60 });
  });

  it("takes pages in a usual folder, and names it", async () => {
    expect(await detect({ "public/index.html": "" })).toMatchObject({ fits: true, service: { static: { dir: "public" } } });
  });

  it.each<[string, Record<string, unknown>]>([
    ["Vite", { scripts: { dev: "vite", build: "vite build" }, devDependencies: { vite: "8" } }],
    [
      "Create React App",
      { scripts: { start: "react-scripts start", build: "react-scripts build" }, dependencies: { "react-scripts": "5" } },
    ],
  ])("takes a project of %s, whose pages are one page", async (tool, packageJson) => {
    const found = await detect({ "package.json": packageJson, "index.html": "" });
    expect(found).toMatchObject({ fits: true, confidence: 80, service: { static: { fallback: "index.html" } } });
    if (tool === "Vite") expect(found.why).toContain("Vite");
  });

  it("is less sure of a build of which it knows nothing", async () => {
    expect(await detect({ "package.json": { scripts: { build: "make-site" } } })).toMatchObject({ fits: true, confidence: 50 });
  });

  it.each<[string, Record<string, unknown>]>([
    ["a server that also builds", { "package.json": { scripts: { start: "node .", build: "tsc" } } }],
    ["nothing", { "readme.md": "" }],
  ])("leaves %s to others", async (_name, files) => {
    expect(await detect(files)).toMatchObject({ fits: false, confidence: 0 });
  });
});

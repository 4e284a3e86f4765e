import { cpSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { home, makeWorld } from "./world.ts";

afterAll(() => rmSync(home, { recursive: true, force: true }));

it("vite-site becomes a page with its assets", async () => {
  const world = makeWorld({ files: {} });
  const example = fileURLToPath(new URL("../../../examples/vite-site/", import.meta.url));
  cpSync(example, world.source, { recursive: true, filter: (path) => !/node_modules|\/dist/.test(path.slice(example.length)) });
  const { metadata } = await world.build({ spec: { dir: "dist", fallback: "index.html" } });
  expect(metadata).toEqual({ fallback: "index.html" });
  expect(readdirSync(world.output).sort()).toEqual(["assets", "favicon.svg", "index.html"]);
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(readFileSync(join(world.output, "index.html"), "utf8"))?.[1];
  expect(readFileSync(join(world.output, script!), "utf8")).toContain("This page was built by Vite.");
  world.close();
}, 120_000);

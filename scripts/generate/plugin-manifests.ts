import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type PluginDefinition, manifestOf } from "@helixstack/sdk";
import { type GeneratedFile, type Generator, jsonFile, root } from "./generator.ts";

/** Folders that hold plugins, with where a plugin's module is when it is written and when it runs. */
const HOMES = [
  { folder: "plugins", source: "src/index.ts", entry: "./dist/index.js" },
  { folder: "test/fixtures/plugins", source: "index.js", entry: "./index.js" },
] as const;

/** `helix-plugin.json` of every plugin in the repository. */
export const pluginManifests: Generator = async () => (await Promise.all(HOMES.map(manifestsIn))).flat();

async function manifestsIn({ folder, source, entry }: (typeof HOMES)[number]): Promise<readonly GeneratedFile[]> {
  if (!existsSync(join(root, folder))) return [];
  const names = (await readdir(join(root, folder))).toSorted();
  const plugins = names.filter((name) => existsSync(join(root, folder, name, source)));
  return (await Promise.all(plugins.map((name) => manifestIn(`${folder}/${name}`, { source, entry })))).flat();
}

/** A plugin that cannot be loaded is named and fails the run; the others are written nevertheless. */
async function manifestIn(folder: string, { source, entry }: { source: string; entry: string }): Promise<readonly GeneratedFile[]> {
  try {
    const module = (await import(join(root, folder, source))) as { readonly default?: PluginDefinition };
    if (!module.default?.planes) throw new Error("its default export is not a plugin definition");
    return [jsonFile(`${folder}/helix-plugin.json`, manifestOf(module.default, { entry }))];
  } catch (error) {
    console.error(`${folder}/${source}: ${(error as Error).message}`);
    process.exitCode = 1;
    return [];
  }
}

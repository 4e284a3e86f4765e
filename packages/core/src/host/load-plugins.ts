import { readdir } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { PluginManifest } from "@helixstack/sdk";
import { EngineError, toEngineError } from "../domain/errors.ts";
import type { InstalledPlugin, PluginRegistry } from "../ports/plugins.ts";
import { ENGINE_VERSION } from "./engine-version.ts";
import { checkSchemas, pluginConfig } from "./plugin-config.ts";
import { pluginDigest } from "./plugin-digest.ts";
import { createRegistry } from "./registry.ts";
import { MANIFEST_FILE, readManifest } from "./read-manifest.ts";

export interface LoadPluginsOptions {
  /** Folders that hold plugins, one a subfolder. The first plugin of a name wins. A folder that is not there holds none. */
  readonly folders: readonly string[];
  /** The configuration of each plugin, before its defaults are filled in. */
  readonly configOf?: (manifest: PluginManifest) => unknown;
  readonly engineVersion?: string;
}

/** A plugin that was found and cannot be used. */
export interface PluginProblem {
  readonly folder: string;
  /** Null where not even the name could be read. */
  readonly name: string | null;
  /** `PLUGIN_INVALID` or `INVALID_CONFIG`. */
  readonly error: EngineError;
}

export interface LoadedPlugins extends PluginRegistry {
  readonly problems: readonly PluginProblem[];
}

/** Reads the static manifests of all plugins. No plugin's code runs, and one that is not valid does not take the others down. */
export async function loadPlugins(options: LoadPluginsOptions): Promise<LoadedPlugins> {
  const folders = (await Promise.all(options.folders.map(pluginFolders))).flat();
  const found = await Promise.all(folders.map((folder) => load(folder, options)));
  const plugins: InstalledPlugin[] = [];
  const problems: PluginProblem[] = [];
  for (const one of found) {
    if ("error" in one) problems.push(one);
    else if (plugins.some(({ manifest }) => manifest.name === one.manifest.name)) problems.push(duplicate(one, plugins));
    else plugins.push(one);
  }
  return { ...createRegistry(plugins, problems), problems };
}

async function pluginFolders(folder: string): Promise<readonly string[]> {
  if (!existsSync(folder)) return [];
  const names = await readdir(folder);
  return names
    .toSorted()
    .map((name) => join(folder, name))
    .filter((path) => existsSync(join(path, MANIFEST_FILE)));
}

async function load(folder: string, options: LoadPluginsOptions): Promise<InstalledPlugin | PluginProblem> {
  const { configOf = () => ({}), engineVersion = ENGINE_VERSION } = options;
  let name: string | null = null;
  try {
    const manifest = await readManifest(folder, { engineVersion });
    name = manifest.name;
    checkSchemas(manifest);
    const config = pluginConfig(manifest, configOf(manifest));
    return { manifest, folder, config, digest: await pluginDigest(folder, manifest) };
  } catch (error) {
    return { folder, name, error: toEngineError(error) };
  }
}

function duplicate({ manifest, folder }: InstalledPlugin, plugins: readonly InstalledPlugin[]): PluginProblem {
  const first = plugins.find((plugin) => plugin.manifest.name === manifest.name);
  const message = `the plugin in ${folder} is called ${manifest.name}, as the one in ${first?.folder} is`;
  return { folder, name: manifest.name, error: new EngineError("PLUGIN_INVALID", message, { hint: "Remove one of them." }) };
}

import { readdir } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { PluginManifest } from "@helixstack/sdk";
import { EngineError, toEngineError } from "../domain/errors.ts";
import type { InstalledPlugin, PluginRegistry } from "../ports/plugins.ts";
import { ENGINE_VERSION } from "./engine-version.ts";
import { checkSchemas, deepFreeze, pluginConfig } from "./plugin-config.ts";
import { pluginDigest } from "./plugin-digest.ts";
import { createRegistry } from "./registry.ts";
import { MANIFEST_FILE, isInside, parseManifest, readManifest } from "./read-manifest.ts";

export interface LoadPluginsOptions {
  /** Folders that hold plugins, one a subfolder. The first plugin of a name wins. A folder that is not there holds none. */
  readonly folders: readonly string[];
  /** The configuration of each plugin, before its defaults are filled in. */
  readonly configOf?: (manifest: PluginManifest) => unknown;
  readonly engineVersion?: string;
  /** What was found right before; default: nothing is remembered. */
  readonly memory?: PluginMemory;
}

/**
 * Plugins that were checked before, by what was checked: engine version, manifest, code, configuration. Checking compiles every schema, and a worker that
 * takes a dead one's place has no time for that.
 */
export interface PluginMemory {
  /** Whether a plugin of this digest was right, whatever its configuration. */
  knows(digest: string): boolean;
  /** The configuration with its defaults; undefined where it is to be checked. */
  get(key: string): Readonly<Record<string, unknown>> | undefined;
  set(key: string, config: Readonly<Record<string, unknown>>): void;
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
  const { engineVersion = ENGINE_VERSION } = options;
  let name: string | null = null;
  try {
    const known = await recall(folder, options);
    if (known) return known;
    const manifest = await readManifest(folder, { engineVersion });
    name = manifest.name;
    checkSchemas(manifest);
    return await configured(folder, manifest, options);
  } catch (error) {
    return { folder, name, error: toEngineError(error) };
  }
}

async function configured(folder: string, manifest: PluginManifest, options: LoadPluginsOptions): Promise<InstalledPlugin> {
  const { configOf = () => ({}), memory } = options;
  const given = configOf(manifest);
  const config = pluginConfig(manifest, given);
  const digest = await pluginDigest(folder, manifest);
  memory?.set(keyOf(digest, { given, options }), config);
  return { manifest, folder, config, digest };
}

/** The plugin, if just this one was right before. Nothing that is read here is believed before its digest is known. */
async function recall(folder: string, options: LoadPluginsOptions): Promise<InstalledPlugin | null> {
  const { memory, configOf = () => ({}) } = options;
  const manifest = memory ? await parseManifest(join(folder, MANIFEST_FILE)) : null;
  if (!memory || typeof manifest?.["entry"] !== "string" || !isInside(folder, manifest["entry"])) return null;
  const believed = manifest as unknown as PluginManifest;
  const digest = await pluginDigest(folder, believed).catch(() => null);
  if (digest === null || !memory.knows(digest)) return null;
  const config = memory.get(keyOf(digest, { given: configOf(believed), options }));
  return config ? { manifest: believed, folder, config: deepFreeze(structuredClone(config)), digest } : null;
}

function keyOf(digest: string, { given, options }: { given: unknown; options: LoadPluginsOptions }): string {
  return `${digest} ${options.engineVersion ?? ENGINE_VERSION} ${JSON.stringify(given)}`;
}

function duplicate({ manifest, folder }: InstalledPlugin, plugins: readonly InstalledPlugin[]): PluginProblem {
  const first = plugins.find((plugin) => plugin.manifest.name === manifest.name);
  const message = `the plugin in ${folder} is called ${manifest.name}, as the one in ${first?.folder} is`;
  return { folder, name: manifest.name, error: new EngineError("PLUGIN_INVALID", message, { hint: "Remove one of them." }) };
}

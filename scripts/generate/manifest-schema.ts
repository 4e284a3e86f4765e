import type { PluginManifest } from "@helixstack/sdk";
import { manifestJsonSchema } from "../../packages/core/src/config/json-schema.ts";
import { type Generator, jsonFile } from "./generator.ts";
import { pluginManifests } from "./plugin-manifests.ts";

/** `schemas/helix.yaml.json`: the schema of the manifest for editors, with the sections of the plugins that ship with the engine. */
export const manifestSchema: Generator = async () => {
  const shipped = (await pluginManifests()).filter(({ path }) => path.startsWith("plugins/"));
  const plugins = shipped.map(({ content }) => JSON.parse(String(content)) as PluginManifest);
  return [jsonFile("schemas/helix.yaml.json", manifestJsonSchema(plugins))];
};

import { PluginManifestSchema } from "../../packages/core/src/host/manifest-schema.ts";
import { type Generator, jsonFile } from "./generator.ts";

/** The JSON Schema of `helix-plugin.json`. */
export const pluginManifestSchema: Generator = async () => [
  jsonFile("schemas/plugin-manifest.json", { $schema: "http://json-schema.org/draft-07/schema#", ...PluginManifestSchema }),
];

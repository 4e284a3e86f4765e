import type { PluginManifest } from "@helixstack/sdk";
import type { TSchema } from "typebox";

/** A schema as plain JSON. */
type Schema = Record<string, unknown>;

/** One schema for the section of each plugin that takes options of a service, by plugin name. */
export function sectionSchemas(plugins: readonly PluginManifest[]): Record<string, TSchema> {
  const sections = plugins.flatMap((plugin) => {
    const specs = [plugin.planes.build?.spec, plugin.planes.runtime?.spec].filter((spec) => spec !== undefined);
    return specs.length === 0 ? [] : [[plugin.name, sectionSchema(plugin, specs)] as const];
  });
  return Object.fromEntries(sections);
}

/** A plugin that fills two planes has one section for both. */
function sectionSchema(plugin: PluginManifest, specs: readonly TSchema[]): TSchema {
  const parts = specs.map((spec) => closeObjects(spec as Schema));
  return {
    ...parts[0],
    type: "object",
    description: `Options of the plugin ${plugin.name}.`,
    properties: Object.assign({}, ...parts.map((part) => part["properties"])) as object,
    required: [...new Set(parts.flatMap((part) => (part["required"] as string[] | undefined) ?? []))],
  } as TSchema;
}

/** A plugin's author need not say that unknown keys are refused and that what has a default may be left out: it is always so. */
function closeObjects(schema: Schema): Schema {
  const properties = schema["properties"] as Record<string, Schema> | undefined;
  if (schema["type"] !== "object" || !properties) return schema;
  const inner = Object.entries(properties).map(([key, value]) => [key, closeObjects(value)] as const);
  const required = ((schema["required"] as string[] | undefined) ?? []).filter((key) => properties[key]?.["default"] === undefined);
  return { additionalProperties: false, ...schema, required, properties: Object.fromEntries(inner) };
}

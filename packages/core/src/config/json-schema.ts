import type { PluginManifest } from "@helixstack/sdk";
import { fileSchema } from "./schema.ts";

/** A schema as plain JSON. */
type Schema = { [key: string]: unknown };

/** The JSON Schema of `helix.yaml` for editors, with the sections of these plugins. Draft 2020-12. */
export function manifestJsonSchema(plugins: readonly PluginManifest[]): Readonly<Record<string, unknown>> {
  const schema = JSON.parse(JSON.stringify(fileSchema(plugins))) as Schema & { properties: Record<string, Schema> };
  const environments = schema.properties["environments"];
  if (environments) allowNull(environments);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "helix.yaml",
    description: "What HelixStack deploys: the services of one project, and what differs in each environment.",
    ...schema,
  };
}

/** In an override null removes a key. The reader drops such keys before it checks; an editor has to be told. */
function allowNull(schema: Schema): void {
  for (const group of ["properties", "patternProperties"]) {
    const children = (schema[group] ?? {}) as Record<string, Schema>;
    for (const [key, child] of Object.entries(children)) {
      if (key === "^x-") continue;
      allowNull(child);
      children[key] = { anyOf: [child, { type: "null" }] };
    }
  }
}

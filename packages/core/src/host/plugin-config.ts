import type { PluginManifest } from "@helixstack/sdk";
import { EngineError } from "../domain/errors.ts";
import { checkOf, closed, fillingCheckOf } from "./schema-check.ts";

/**
 * The configuration of a plugin: the operator's values checked, defaults filled in, frozen. Nothing is coerced and nothing dropped: an unknown
 * key is an error. Throws `INVALID_CONFIG`.
 */
export function pluginConfig(manifest: PluginManifest, given: unknown): Readonly<Record<string, unknown>> {
  const config = structuredClone(given ?? {}) as Record<string, unknown>;
  const problems = compiled(manifest, "config", () => fillingCheckOf(closed(manifest.config)))(config);
  if (problems.length > 0) {
    throw new EngineError("INVALID_CONFIG", `the configuration of the plugin ${manifest.name} is not valid: ${problems.join("; ")}`, {
      plugin: `${manifest.name}@${manifest.version}`,
    });
  }
  return deepFreeze(config);
}

/** Throws `PLUGIN_INVALID` where a schema in the manifest is none. */
export function checkSchemas(manifest: PluginManifest): void {
  const { build, runtime, delivery } = manifest.planes;
  const schemas = {
    "planes.build.spec": build?.spec,
    "planes.runtime.spec": runtime?.spec,
    "planes.runtime.state": runtime?.state,
    "planes.delivery.state": delivery?.state,
  };
  for (const [path, schema] of Object.entries(schemas)) {
    if (schema) compiled(manifest, path, () => checkOf(schema));
  }
}

function compiled<T>({ name, version }: PluginManifest, path: string, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    const message = `the plugin ${name} cannot be used: ${path} is not a JSON Schema: ${(error as Error).message}`;
    throw new EngineError("PLUGIN_INVALID", message, { plugin: `${name}@${version}`, cause: error });
  }
}

/** The same value, which nobody can change any more. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}

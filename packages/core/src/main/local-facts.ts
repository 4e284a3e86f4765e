import type { PluginManifest } from "@helixstack/sdk";
import { socketPath } from "@helixstack/supervisor";
import { join } from "node:path";
import type { HomeLayout } from "../config/index.ts";

/**
 * The configuration of a plugin on this machine: the operator's values, and for a field whose schema says `"x-local": <fact>` and that the operator left
 * out, what the local plane knows. So no plugin guesses a path, and the engine knows no plugin's name.
 *
 * Facts: `home`, `volumes`, `state` (the plugin's own folder), `socket` (a unix socket of the plugin's own), `supervisor` (the supervisor's socket).
 */
export function localConfig(
  manifest: PluginManifest,
  { layout, configured }: { layout: HomeLayout; configured: Readonly<Record<string, unknown>> },
): Record<string, unknown> {
  const facts: Readonly<Record<string, string>> = {
    home: layout.root,
    volumes: layout.volumes,
    state: join(layout.plugins, manifest.name),
    socket: socketPath(layout.root, manifest.name),
    supervisor: socketPath(layout.root, "supervisor"),
  };
  const filled = Object.entries(fieldsOf(manifest.config)).flatMap(([name, schema]) => {
    const fact = facts[schema["x-local"] ?? ""];
    return fact === undefined ? [] : [[name, fact] as const];
  });
  return { ...Object.fromEntries(filled), ...configured };
}

function fieldsOf(schema: unknown): Readonly<Record<string, { readonly "x-local"?: string }>> {
  return (schema as { properties?: Record<string, { "x-local"?: string }> }).properties ?? {};
}

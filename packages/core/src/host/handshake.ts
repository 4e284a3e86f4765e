import { isDeepStrictEqual } from "node:util";
import type { PluginManifest } from "@helixstack/sdk";

/**
 * What the code of a plugin says of itself must be what its static manifest says: that file was shown, checked and planned with. Names
 * the parts that differ; null when there are none. Where the module is, is the manifest's own matter.
 */
export function handshakeProblem(manifest: PluginManifest, running: PluginManifest): string | null {
  const paths = differences({ ...manifest, entry: "" }, plainJson({ ...running, entry: "" }), "");
  if (paths.length === 0) return null;
  return `its code and its helix-plugin.json differ in ${paths.slice(0, 5).join(", ")}`;
}

function differences(a: unknown, b: unknown, path: string): readonly string[] {
  if (isDeepStrictEqual(a, b)) return [];
  if (!isRecord(a) || !isRecord(b)) return [path || "everything"];
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return keys.flatMap((key) => differences(a[key], b[key], path === "" ? key : `${path}.${key}`));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function plainJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

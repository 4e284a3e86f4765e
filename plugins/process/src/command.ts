import type { RevisionSpec } from "@helixstack/sdk";
import { staticServerEntry } from "@helixstack/static-server";

/** The argument list that starts the application. `app` is its work folder. */
export function commandOf(spec: RevisionSpec, app: string): readonly string[] {
  if (spec.command !== null) return spec.command;
  const { artifact } = spec;
  if (artifact.kind === "node-bundle") return artifact.metadata.start;
  const fallback = artifact.kind === "static-site" ? artifact.metadata.fallback : null;
  return [process.execPath, staticServerEntry, "--root", app, "--fallback", fallback ?? "none"];
}

/** What the server of a static site is told besides: it is ours, so it can keep to loopback. */
export function serverEnvironment(spec: RevisionSpec, revision: string): Record<string, string> {
  return spec.artifact.kind === "static-site" && spec.command === null ? { HOST: "127.0.0.1", HELIX_REVISION: revision } : {};
}

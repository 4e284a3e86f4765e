import type { Manifest } from "../domain/manifest.ts";
import type { Origin } from "../domain/origin.ts";
import type { PluginRegistry, SnapshotEntry } from "../ports/index.ts";
import { type ReadManifestInput, readManifest } from "./read-manifest.ts";
import { sourceMapOf } from "./source-map.ts";

/** Reads a manifest against the installed plugins and the source that comes with it. Rejects like {@link readManifest}. */
export type ManifestReader = (input: Omit<ReadManifestInput, "plugins" | "hasFolder"> & { readonly entries: readonly SnapshotEntry[] }) => {
  readonly manifest: Manifest;
  readonly origin: Origin;
};

export function createManifestReader(plugins: Pick<PluginRegistry, "list">): ManifestReader {
  const installed = plugins.list().map((plugin) => plugin.manifest);
  return ({ entries, ...input }) => {
    const { text, file, environment } = input;
    const manifest = readManifest({ ...input, plugins: installed, hasFolder: folderTest(entries) });
    return { manifest, origin: { file, lines: sourceMapOf({ text, environment }).lines() } };
  };
}

/** Whether a path is a folder of the snapshot: one that is listed, or one that something stands in. */
function folderTest(entries: readonly SnapshotEntry[]): (path: string) => boolean {
  return (path) =>
    path === "." || entries.some((entry) => (entry.path === path && entry.type === "folder") || entry.path.startsWith(`${path}/`));
}

import type { Static } from "typebox";
import { readManifest } from "../../config/read-manifest.ts";
import { sourceMapOf } from "../../config/source-map.ts";
import type { Manifest } from "../../domain/manifest.ts";
import type { SnapshotEntry } from "../../ports/index.ts";
import type { ApiDeps } from "../deps.ts";
import { DEFAULT_ENVIRONMENT, type PlanBody } from "./schema.ts";

/** What a deploy or a plan asks for, as the API takes it. */
type Wish = Omit<Static<typeof PlanBody>, "entries">;

/** The manifest of a request, resolved against the installed plugins and the files that come with it; and where its keys stand. */
export function readWish(
  { plugins }: Pick<ApiDeps, "plugins">,
  { manifest, environment = DEFAULT_ENVIRONMENT, detected, runtime }: Wish,
  entries: readonly SnapshotEntry[],
): {
  readonly environment: string;
  readonly manifest: Manifest;
  readonly origin: { readonly file: string; readonly lines: Readonly<Record<string, number>> };
} {
  const { text, file } = manifest;
  const resolved = readManifest({
    text,
    file,
    environment,
    plugins: plugins.list().map((plugin) => plugin.manifest),
    hasFolder: folderTest(entries),
    ...(detected && { defaults: detected }),
    ...(runtime !== undefined && { overrides: { runtime } }),
  });
  return { environment, manifest: resolved, origin: { file, lines: sourceMapOf({ text, environment }).lines() } };
}

/** Whether a path is a folder of the snapshot: one that is listed, or one that something stands in. */
function folderTest(entries: readonly SnapshotEntry[]): (path: string) => boolean {
  return (path) =>
    path === "." || entries.some((entry) => (entry.path === path && entry.type === "folder") || entry.path.startsWith(`${path}/`));
}

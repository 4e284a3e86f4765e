import type { Digest } from "@helixstack/sdk";
import { digestOf } from "./digest.ts";

/** One entry of a snapshot, as far as its content is concerned. */
export interface SourceEntry {
  readonly path: string;
  readonly type: string;
  readonly mode?: string;
  readonly digest?: string;
  readonly target?: string;
}

/** The manifest says how to run a source and is not part of it: an edited variable must not cause a build. */
const NOT_SOURCE = new Set(["helix.yaml"]);

/**
 * The digest of a service's source: of what lies below `folder` (`.` for all), with paths relative to it, so that moving a service
 * within the repository changes nothing.
 */
export function sourceDigest(entries: readonly SourceEntry[], folder: string): Digest {
  const below = entriesBelow(entries, folder).filter(({ path }) => !NOT_SOURCE.has(path));
  return digestOf(below.sort((a, b) => (a.path < b.path ? -1 : 1)));
}

/** The entries below a folder, with paths relative to it. */
export function entriesBelow(entries: readonly SourceEntry[], folder: string): SourceEntry[] {
  const prefix = normalFolder(folder);
  if (prefix === "") return entries.map(contentOf);
  return entries
    .filter(({ path }) => path.startsWith(prefix))
    .map((entry) => ({ ...contentOf(entry), path: entry.path.slice(prefix.length) }));
}

/** `./site/` and `site` are the same folder; `.` is all. */
function normalFolder(folder: string): string {
  const parts = folder.split("/").filter((part) => part !== "" && part !== ".");
  return parts.length === 0 ? "" : `${parts.join("/")}/`;
}

function contentOf({ path, type, mode, digest, target }: SourceEntry): SourceEntry {
  return { path, type, ...(mode && { mode }), ...(digest && { digest }), ...(target && { target }) };
}

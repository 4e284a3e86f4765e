import { EngineError, type SnapshotEntry } from "@helixstack/core/client";
import type { Digest } from "@helixstack/sdk";
import { eachOf } from "../each-of.ts";
import { type DigestCache, digestFile } from "./digest.ts";
import type { Hidden } from "./ignore-rules.ts";
import { type Found, SourceChanged, type WalkInput, walk } from "./walk.ts";

/** The source as it is now: what is sent, and where each content lies. */
export interface LocalSnapshot {
  readonly root: string;
  /** Sorted by path. */
  readonly entries: readonly SnapshotEntry[];
  /** One path a content. */
  readonly contents: ReadonlyMap<Digest, { readonly path: string; readonly size: number }>;
  readonly sizeBytes: number;
  readonly hidden: ReadonlyMap<string, Hidden>;
}

const READERS = 16;
const ATTEMPTS = 3;

/** Reads the source. Files that change meanwhile make it look again, at most three times in all. */
export async function takeSnapshot(input: WalkInput, cache: DigestCache = new Map()): Promise<LocalSnapshot> {
  return whileItHolds(async () => {
    const { found, hidden } = await walk(input);
    const entries: SnapshotEntry[] = Array.from({ length: found.length });
    await eachOf([...found.entries()], { atOnce: READERS }, async ([i, one]) => {
      entries[i] = await entryOf(one, { root: input.root, cache });
    });
    return summary({ root: input.root, entries, hidden });
  });
}

/** Runs again when the source changed under it. */
export async function whileItHolds<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SourceChanged)) throw error;
      if (attempt < ATTEMPTS) continue;
      throw new EngineError("SOURCE_INVALID", `${error.path} changes while it is read.`, {
        hint: "Stop what writes to it, or list it in .helixignore.",
        cause: error,
      });
    }
  }
}

async function entryOf(found: Found, place: { readonly root: string; readonly cache: DigestCache }): Promise<SnapshotEntry> {
  if (found.kind === "folder") return { path: found.path, type: "folder" };
  if (found.kind === "link") return { path: found.path, type: "link", target: found.target };
  const { digest, size, mode } = await digestFile(found.path, place);
  return { path: found.path, type: "file", mode, size, digest };
}

function summary({ root, entries, hidden }: Pick<LocalSnapshot, "root" | "entries" | "hidden">): LocalSnapshot {
  const contents = new Map<Digest, { path: string; size: number }>();
  let sizeBytes = 0;
  for (const entry of entries) {
    if (entry.type !== "file") continue;
    contents.set(entry.digest, { path: entry.path, size: entry.size });
    sizeBytes += entry.size;
  }
  return { root, entries, contents, sizeBytes, hidden };
}

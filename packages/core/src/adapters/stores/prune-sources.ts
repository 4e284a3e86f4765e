import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "@helixstack/sdk";
import type { Snapshot } from "../../ports/stores.ts";
import type { BlobFolder } from "./blobs.ts";
import { hexOf } from "./digests.ts";

interface Sources {
  readonly folder: BlobFolder;
  readonly snapshots: string;
  readonly readSnapshot: (digest: Digest) => Promise<Snapshot | null>;
  readonly graceMs: number;
}

/** Removes the snapshots that are not listed, then the contents that none of the rest has. Answers with the bytes freed. */
export async function pruneSources({ folder, snapshots, readSnapshot, graceMs }: Sources, keep: readonly Digest[]): Promise<number> {
  const kept = new Set(keep.map(hexOf));
  const needed = new Set<string>();
  let freed = 0;
  for (const hex of await names(snapshots)) {
    const path = join(snapshots, hex);
    if (!kept.has(hex) && (await isOlder(path, graceMs))) {
      freed += await remove(path);
      continue;
    }
    for (const entry of (await readSnapshot(`sha256:${hex}`))?.entries ?? []) {
      if (entry.type === "file") needed.add(hexOf(entry.digest));
    }
  }
  for (const shard of await names(folder.blobs)) {
    for (const hex of await names(join(folder.blobs, shard))) {
      const path = join(folder.blobs, shard, hex);
      if (!needed.has(hex) && (await isOlder(path, graceMs))) freed += await remove(path);
    }
  }
  return freed;
}

function names(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}

async function isOlder(path: string, ms: number): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found !== null && Date.now() - found.mtimeMs >= ms;
}

async function remove(path: string): Promise<number> {
  const { size } = await stat(path);
  await rm(path);
  return size;
}

import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "@helixstack/sdk";
import type { PruneOptions, Snapshot } from "../../ports/stores.ts";
import { mayBePruned } from "./age.ts";
import type { BlobFolder } from "./blobs.ts";
import { hexOf } from "./digests.ts";

interface Sources {
  readonly folder: BlobFolder;
  readonly snapshots: string;
  readonly readSnapshot: (digest: Digest) => Promise<Snapshot | null>;
}

/** Removes the snapshots that are not listed, then the contents that none of the rest has. Answers with the bytes freed. */
export async function pruneSources(
  { folder, snapshots, readSnapshot }: Sources,
  { keep, ...options }: { readonly keep: readonly Digest[] } & PruneOptions,
): Promise<number> {
  const kept = new Set(keep.map(hexOf));
  const needed = new Set<string>();
  let freed = 0;
  for (const hex of await names(snapshots)) {
    const path = join(snapshots, hex);
    if (!kept.has(hex) && (await mayBePruned(path, options))) {
      freed += await remove(path);
      continue;
    }
    for (const content of await contentsOf(readSnapshot, `sha256:${hex}`)) needed.add(content);
  }
  for (const shard of await names(folder.blobs)) {
    for (const hex of await names(join(folder.blobs, shard))) {
      const path = join(folder.blobs, shard, hex);
      if (!needed.has(hex) && (await mayBePruned(path, options))) freed += await remove(path);
    }
  }
  return freed;
}

/** Removes these snapshots, then those of their contents that none of the rest has. Answers with the bytes freed. */
export async function dropSources({ folder, snapshots, readSnapshot }: Sources, digests: readonly Digest[]): Promise<number> {
  const dropped = new Set<string>();
  let freed = 0;
  for (const digest of new Set(digests)) {
    for (const hex of await contentsOf(readSnapshot, digest)) dropped.add(hex);
    freed += await remove(join(snapshots, hexOf(digest)));
  }
  for (const hex of await names(snapshots)) for (const needed of await contentsOf(readSnapshot, `sha256:${hex}`)) dropped.delete(needed);
  for (const hex of dropped) freed += await remove(join(folder.blobs, hex.slice(0, 2), hex));
  return freed;
}

async function contentsOf(readSnapshot: Sources["readSnapshot"], digest: Digest): Promise<readonly string[]> {
  return ((await readSnapshot(digest))?.entries ?? []).flatMap((entry) => (entry.type === "file" ? [hexOf(entry.digest)] : []));
}

function names(folder: string): Promise<readonly string[]> {
  return readdir(folder).catch(() => []);
}

async function remove(path: string): Promise<number> {
  const found = await stat(path).catch(() => null);
  await rm(path, { force: true });
  return found?.size ?? 0;
}

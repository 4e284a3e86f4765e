import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Digest } from "@helixstack/sdk";
import { EngineError } from "../../domain/errors.ts";
import type { Snapshot, SnapshotEntry, SourceStore } from "../../ports/stores.ts";
import { hasCode, syncFolder, writeWhole } from "../files.ts";
import { freshen } from "./age.ts";
import { blobPath, blobSize, writeBlob, type BlobFolder } from "./blobs.ts";
import { checkout } from "./checkout.ts";
import { hexOf, isDigest } from "./digests.ts";
import { each } from "./each.ts";
import { dropSources, pruneSources } from "./prune-sources.ts";
import { snapshotDigest, toSnapshot } from "./snapshot.ts";
import { sweepTemp } from "./temp.ts";

export interface SourceStoreOptions {
  /** The store's own folder. */
  readonly root: string;
  /** Largest file it takes. Default 2 GiB. */
  readonly maxBlobBytes?: number;
}

const DEFAULT_MAX_BYTES = 2 * 1024 ** 3;
const AT_ONCE = 16;

/** Keeps sources in a folder; removes what an earlier process left half-written. */
export async function openFolderSourceStore(options: SourceStoreOptions): Promise<SourceStore> {
  const { root } = options;
  const temp = join(root, "tmp");
  const folder: BlobFolder = { blobs: join(root, "blobs"), temp, maxBytes: options.maxBlobBytes ?? DEFAULT_MAX_BYTES };
  const snapshots = join(root, "snapshots");
  const stored = { folder, snapshots, readSnapshot: (digest: Digest) => readSnapshot(snapshots, digest) };
  await sweepTemp(temp);

  return {
    async missing(digests) {
      const absent: Digest[] = [];
      await each(new Set(digests), AT_ONCE, async (digest) => {
        if (!isDigest(digest)) throw new EngineError("SOURCE_INVALID", `${JSON.stringify(digest)} is not sha256: and 64 digits`);
        if ((await blobSize(folder, digest)) === null) absent.push(digest);
        // Who asks will not send it, and names it in a snapshot next.
        else await freshen(blobPath(folder, digest));
      });
      return absent;
    },

    putBlob: (digest, content) => writeBlob(folder, digest, content),

    async putSnapshot(entries) {
      const snapshot = toSnapshot(entries);
      await checkContents(folder, snapshot.entries);
      const path = snapshotPath(snapshots, snapshot.digest);
      if ((await readSnapshot(snapshots, snapshot.digest)) !== null) {
        await freshen(path);
        return snapshot;
      }
      const text = snapshot.entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
      await syncBlobs(folder, snapshot.entries);
      await writeWhole(path, text, 0o644);
      return snapshot;
    },

    getSnapshot: (digest) => readSnapshot(snapshots, digest),

    async checkout(digest, input) {
      const snapshot = await readSnapshot(snapshots, digest);
      if (snapshot === null) throw new EngineError("SNAPSHOT_INCOMPLETE", `the source snapshot ${digest} is not here`);
      await freshen(snapshotPath(snapshots, digest));
      await checkout(folder, { snapshot, ...input });
    },

    prune: (keep, options) => pruneSources(stored, { keep, ...options }),
    drop: (digests) => dropSources(stored, digests.filter(isDigest)),
  };
}

/** Null for one that is not there, or whose file is not what its name says (a disk fault): it is to be sent again. */
async function readSnapshot(snapshots: string, digest: Digest): Promise<Snapshot | null> {
  if (!isDigest(digest)) return null;
  try {
    const lines = (await readFile(snapshotPath(snapshots, digest), "utf8")).split("\n").filter((line) => line !== "");
    const entries = lines.map((line) => JSON.parse(line) as SnapshotEntry);
    if (snapshotDigest(entries) !== digest) return null;
    return toSnapshot(entries);
  } catch (thrown) {
    if (hasCode(thrown, "ENOENT") || thrown instanceof SyntaxError) return null;
    throw thrown;
  }
}

async function checkContents(folder: BlobFolder, entries: readonly SnapshotEntry[]): Promise<void> {
  const missing: string[] = [];
  await each(entries, AT_ONCE, async (entry) => {
    if (entry.type !== "file") return;
    const size = await blobSize(folder, entry.digest);
    if (size === null) return void missing.push(entry.digest);
    // Nobody will send it again.
    await freshen(blobPath(folder, entry.digest));
    if (size !== entry.size) {
      const message = `the source has ${JSON.stringify(entry.path)} with ${entry.size} bytes, and its content has ${size}`;
      throw new EngineError("SOURCE_INVALID", message, { details: { path: entry.path } });
    }
  });
  if (missing.length === 0) return;
  const details = { missing: [...new Set(missing)] };
  throw new EngineError("SNAPSHOT_INCOMPLETE", `${details.missing.length} contents of the snapshot are not here`, { details });
}

/** The contents are on disk, their names perhaps not yet: one sync a folder, rather than one a file. */
async function syncBlobs(folder: BlobFolder, entries: readonly SnapshotEntry[]): Promise<void> {
  const files = entries.flatMap((entry) => (entry.type === "file" ? [dirname(blobPath(folder, entry.digest))] : []));
  await each(new Set(files), AT_ONCE, syncFolder);
}

function snapshotPath(snapshots: string, digest: Digest): string {
  return join(snapshots, hexOf(digest));
}

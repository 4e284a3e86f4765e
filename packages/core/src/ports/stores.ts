import type { Artifact, ArtifactKind, ArtifactOf, Digest } from "@helixstack/sdk";
import type { Readable } from "node:stream";

/** One entry of a source snapshot. Paths are relative, `/` separated, without `..`. */
export type SnapshotEntry =
  | { readonly path: string; readonly type: "file"; readonly mode: "644" | "755"; readonly size: number; readonly digest: Digest }
  | { readonly path: string; readonly type: "link"; readonly target: string }
  | { readonly path: string; readonly type: "folder" };

/** A snapshot is its sorted list of entries; its digest is of that list. */
export interface Snapshot {
  readonly digest: Digest;
  readonly entries: readonly SnapshotEntry[];
  readonly sizeBytes: number;
}

/** Keeps source files by content. Nothing is stored twice; nothing half-written is ever seen. */
export interface SourceStore {
  /** Which of these contents are not here yet. */
  missing(digests: readonly Digest[]): Promise<readonly Digest[]>;
  /** Stores one file's content. Rejects with `SOURCE_INVALID` when it is not what the digest says, `DISK_FULL`, `SOURCE_TOO_LARGE`. */
  putBlob(digest: Digest, content: Readable): Promise<void>;
  /** Stores the list. Rejects with `SNAPSHOT_INCOMPLETE` when a content is missing, `SOURCE_INVALID` for a path or link that leaves the snapshot. */
  putSnapshot(entries: readonly SnapshotEntry[]): Promise<Snapshot>;
  getSnapshot(digest: Digest): Promise<Snapshot | null>;
  /** Writes the entries below `folder` (`.` for all) into `target`, a new private copy. */
  checkout(digest: Digest, input: { readonly folder: string; readonly target: string }): Promise<void>;
  /** Removes what no listed snapshot needs and nobody stored or asked for in this time. Returns the bytes freed. */
  prune(keep: readonly Digest[], options: PruneOptions): Promise<number>;
  /** Removes these snapshots, of whatever age, and their contents that no other snapshot has. Gone already is success. Returns the bytes freed. */
  drop(snapshots: readonly Digest[]): Promise<number>;
}

export interface PruneOptions {
  /** What is younger stays: a deployment that counts on it may not be recorded yet. */
  readonly olderThanMs: number;
  /** What was last stored or asked for between these times, milliseconds since 1970, stays. */
  readonly except?: { readonly from: number; readonly to: number } | null;
}

/** Keeps artifacts by content. */
export interface ArtifactStore {
  /** Moves the folder into the store under its digest. The same content twice is stored once. */
  put<K extends ArtifactKind>(
    kind: K,
    input: { readonly folder: string; readonly metadata: ArtifactOf<K>["metadata"] },
  ): Promise<ArtifactOf<K>>;
  /** Whether the content is here and whole. */
  has(artifact: Artifact): Promise<boolean>;
  /** What policies may know of its content; null where that is kept elsewhere, or gone. Looked up once an artifact. */
  facts(artifact: Artifact): Promise<ArtifactFacts | null>;
  /** Removes what is not listed and nobody stored or asked for in this time. Returns the bytes freed. */
  prune(keep: readonly Digest[], options: PruneOptions): Promise<number>;
  /** Removes these, of whatever age. Gone already is success. Returns the bytes freed. */
  drop(digests: readonly Digest[]): Promise<number>;
}

export interface ArtifactFacts {
  readonly sizeBytes: number;
  readonly files: number;
  /** Installed packages, sorted, each once. */
  readonly packages: readonly { readonly name: string; readonly version: string; readonly installScripts: boolean }[];
}

/** Keeps the log of each deployment: what builds, tasks and plugins said. */
export interface LogStore {
  append(stream: string, lines: readonly StoredLine[]): Promise<void>;
  /** Lines after the cursor (0: from the start), in order; follows until the signal fires if asked. */
  read(
    stream: string,
    options: { readonly after: number; readonly follow: boolean; readonly signal?: AbortSignal },
  ): AsyncIterable<StoredLine & { readonly cursor: number }>;
  /** The last lines. */
  tail(stream: string, count: number): Promise<readonly StoredLine[]>;
  remove(stream: string): Promise<void>;
}

export interface StoredLine {
  /** ISO 8601. */
  readonly at: string;
  readonly level: "debug" | "info" | "warn" | "error";
  /** Step id it belongs to, or null. */
  readonly step: string | null;
  readonly text: string;
}

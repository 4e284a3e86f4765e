import type { Digest } from "@helixstack/sdk";
import { EngineError } from "../../domain/errors.ts";
import type { Snapshot, SnapshotEntry } from "../../ports/stores.ts";
import { digestOf, isDigest } from "./digests.ts";
import { linkDestination } from "./links.ts";

const LONGEST_PATH = 4_096;
const LONGEST_NAME = 255;
/** A surrogate that stands alone: it has no form as bytes, so two of them would be one file. */
const HALF_A_CHARACTER = /\p{Surrogate}/u;

/**
 * The snapshot that these entries are, whatever their order. Rejects with `SOURCE_INVALID`, naming the entry, what would leave the folder it
 * is written to, or cannot be written at all.
 */
export function toSnapshot(given: readonly SnapshotEntry[]): Snapshot {
  for (const entry of given) checkEntry(entry);
  const entries = given.map(plainEntry).sort((a, b) => (a.path < b.path ? -1 : 1));
  checkTree(entries);
  checkLinks(entries);
  const sizeBytes = entries.reduce((sum, entry) => sum + (entry.type === "file" ? entry.size : 0), 0);
  return { digest: snapshotDigest(entries), entries, sizeBytes };
}

/** Digest of a sorted list of entries. */
export function snapshotDigest(entries: readonly SnapshotEntry[]): Digest {
  return digestOf(entries.map((entry) => `${JSON.stringify(plainEntry(entry))}\n`).join(""));
}

/** The known fields in one order: the digest is of this text. */
function plainEntry(entry: SnapshotEntry): SnapshotEntry {
  const { path, type } = entry;
  if (type === "file") return { path, type, mode: entry.mode, size: entry.size, digest: entry.digest };
  return type === "link" ? { path, type, target: entry.target } : { path, type };
}

function checkEntry(entry: SnapshotEntry): void {
  const fault = pathFault(entry.path) ?? kindFault(entry);
  if (fault !== null) throw invalid(entry.path, fault);
}

function pathFault(path: unknown): string | null {
  if (typeof path !== "string" || path === "") return "its path is empty";
  if (path.includes("\0") || HALF_A_CHARACTER.test(path)) return "its path is not a proper text";
  if (path.includes("\\")) return "its path has a backslash, which is a separator on some systems";
  if (path.startsWith("/")) return "its path is absolute";
  if (Buffer.byteLength(path) > LONGEST_PATH) return `its path is longer than ${LONGEST_PATH} bytes`;
  for (const name of path.split("/")) {
    if (name === "" || name === "." || name === "..") return `its path has "${name}" as a part`;
    if (Buffer.byteLength(name) > LONGEST_NAME) return `a part of its path is longer than ${LONGEST_NAME} bytes`;
  }
  return null;
}

function kindFault(entry: SnapshotEntry): string | null {
  switch (entry.type) {
    case "folder":
      return null;
    case "link":
      return linkFault(entry.target);
    case "file":
      if (entry.mode !== "644" && entry.mode !== "755") return `its mode is ${String(entry.mode)}, not 644 or 755`;
      if (!Number.isSafeInteger(entry.size) || entry.size < 0) return `its size is ${String(entry.size)}`;
      return isDigest(entry.digest) ? null : "its digest is not sha256: and 64 digits";
    default:
      return "it is neither a file nor a folder nor a link";
  }
}

function linkFault(target: unknown): string | null {
  if (typeof target !== "string" || target === "") return "the link is empty";
  if (target.includes("\0") || target.includes("\\") || HALF_A_CHARACTER.test(target)) return "the link is not a proper text";
  return target.startsWith("/") ? `the link points at an absolute path (${target})` : null;
}

/** What stands below an entry can only be written if that entry is a folder: below a link it would be written somewhere else. */
function checkTree(entries: readonly SnapshotEntry[]): void {
  const types = new Map<string, SnapshotEntry["type"]>();
  for (const { path, type } of entries) {
    if (types.has(path)) throw invalid(path, "it is listed twice");
    types.set(path, type);
  }
  for (const { path } of entries) {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const above = path.slice(0, end);
      const type = types.get(above);
      if (type !== undefined && type !== "folder") throw invalid(path, `it stands below ${above}, which is a ${type}`);
    }
  }
}

function checkLinks(entries: readonly SnapshotEntry[]): void {
  const links = linksOf(entries);
  for (const [path, target] of links) {
    if (linkDestination(path, links) === null) throw invalid(path, `the link leads out of the source (${target})`);
  }
}

/** Links of a snapshot, by path. */
export function linksOf(entries: readonly SnapshotEntry[]): ReadonlyMap<string, string> {
  return new Map(entries.flatMap((entry) => (entry.type === "link" ? [[entry.path, entry.target] as const] : [])));
}

function invalid(path: unknown, fault: string): EngineError {
  return new EngineError("SOURCE_INVALID", `the source has ${JSON.stringify(path)}, and ${fault}`, { details: { path } });
}

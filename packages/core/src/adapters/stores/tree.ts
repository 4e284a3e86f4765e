import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, lstat, readFile, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "@helixstack/sdk";
import { EngineError } from "../../domain/errors.ts";
import { digestOf } from "./digests.ts";
import { each } from "./each.ts";
import { linkDestination } from "./links.ts";

/** What a folder holds, as its digest is of it. */
export interface Tree {
  readonly digest: Digest;
  readonly files: number;
  readonly sizeBytes: number;
}

/** One line of a tree's list: path, kind or mode, content or target. */
type TreeLine = readonly [path: string, kind: "folder" | "link" | "644" | "755", content: string];

interface Found {
  readonly path: string;
  readonly kind: TreeLine[1];
  readonly sizeBytes: number;
}

const AT_ONCE = 8;
const READ_WHOLE_BYTES = 1024 * 1024;

/**
 * Digest of a folder's content: paths, whether files are executable, contents, link targets; not times and owners. Rejects with `BUILD_FAILED`,
 * naming the entry, for what cannot be part of an artifact.
 */
export async function readTree(root: string): Promise<Tree> {
  const found = await list(root, "");
  const links = new Map<string, string>();
  for (const { path, kind } of found) if (kind === "link") links.set(path, await readlink(join(root, path)));
  for (const [path, target] of links) {
    if (linkDestination(path, links) === null) throw unfit(path, `is a link that leads out of it (${target})`);
  }
  const lines: TreeLine[] = [];
  await each(found, AT_ONCE, async ({ path, kind, sizeBytes }) => {
    lines.push([path, kind, await contentOf(join(root, path), { kind, sizeBytes, target: links.get(path) })]);
  });
  lines.sort(([a], [b]) => (a < b ? -1 : 1));
  const digest = digestOf(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return { digest, files: found.length, sizeBytes: found.reduce((sum, entry) => sum + entry.sizeBytes, 0) };
}

/** Modes as the digest knows them: everybody may read, the owner may write. A build may run under a strict umask. */
export async function normalizeModes(root: string): Promise<void> {
  await chmod(root, 0o755);
  for (const entry of await readdir(root, { withFileTypes: true })) {
    const path = join(root, entry.name);
    if (entry.isDirectory()) await normalizeModes(path);
    else if (entry.isFile()) {
      const { mode } = await lstat(path);
      const wanted = (mode & 0o100) === 0 ? 0o644 : 0o755;
      if ((mode & 0o7777) !== wanted) await chmod(path, wanted);
    }
  }
}

async function list(root: string, prefix: string): Promise<Found[]> {
  const found: Found[] = [];
  for (const entry of await readdir(join(root, prefix), { withFileTypes: true })) {
    const path = prefix === "" ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory()) found.push({ path, kind: "folder", sizeBytes: 0 }, ...(await list(root, path)));
    else if (entry.isSymbolicLink()) found.push({ path, kind: "link", sizeBytes: 0 });
    else if (entry.isFile()) {
      const { mode, size } = await lstat(join(root, path));
      found.push({ path, kind: (mode & 0o100) === 0 ? "644" : "755", sizeBytes: size });
    } else throw unfit(path, "is neither a file nor a folder nor a link");
  }
  return found;
}

function contentOf(path: string, entry: Omit<Found, "path"> & { readonly target: string | undefined }): Promise<string> {
  if (entry.kind === "folder") return Promise.resolve("");
  if (entry.kind === "link") return Promise.resolve(entry.target ?? "");
  return hashFile(path, entry.sizeBytes);
}

async function hashFile(path: string, sizeBytes: number): Promise<Digest> {
  if (sizeBytes <= READ_WHOLE_BYTES) return digestOf(await readFile(path));
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return `sha256:${hash.digest("hex")}`;
}

function unfit(path: string, fault: string): EngineError {
  const hint = "Remove it at the end of the build, or put a copy of what it points at in its place.";
  return new EngineError("BUILD_FAILED", `the build's output holds ${JSON.stringify(path)}, which ${fault}`, { hint });
}

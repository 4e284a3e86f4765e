import { EngineError } from "@helixstack/core/client";
import type { Dirent } from "node:fs";
import { readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { type Hidden, type IgnoreRules, ignoreRules } from "./ignore-rules.ts";
import { linkProblem } from "./links.ts";

/** One thing that belongs to a source. Paths are relative to its root, `/` separated. */
export type Found =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | { readonly kind: "folder"; readonly path: string };

export interface WalkInput {
  /** The manifest's folder, absolute. */
  readonly root: string;
  /** The services' source folders, relative to the root; `.` for the root itself. */
  readonly sources: readonly string[];
  /** Files in the root that are not source: the manifest. */
  readonly except: readonly string[];
}

export interface Walked {
  /** Sorted by path. */
  readonly found: readonly Found[];
  /** Folders and files that were left out, by path, with the reason. */
  readonly hidden: ReadonlyMap<string, Hidden>;
}

/**
 * Everything below the sources that is not ignored. Rejects with `SOURCE_INVALID` for what cannot be part of a source (a symlink that points
 * outside, a socket, a device), `SOURCE_UNREADABLE` for what cannot be read; each names the path.
 */
export async function walk(input: WalkInput): Promise<Walked> {
  const found: Found[] = [];
  const hidden = new Map<string, Hidden>();
  await visit("", ignoreRules(input.root), { ...input, sources: input.sources.map(normal), found, hidden });
  found.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { found, hidden };
}

interface Visit extends WalkInput {
  readonly found: Found[];
  readonly hidden: Map<string, Hidden>;
}

async function visit(folder: string, rules: IgnoreRules, walking: Visit): Promise<void> {
  const entries = await list(join(walking.root, folder), folder || ".");
  for (const entry of entries) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (!isWanted(path, walking.sources)) continue;
    if (folder === "" && walking.except.includes(entry.name)) continue;
    const reason = rules.hides(entry.name, entry.isDirectory() ? "folder" : "file");
    if (reason) walking.hidden.set(path, reason);
    else await take(entry, path, { rules, walking });
  }
}

async function take(entry: Dirent, path: string, { rules, walking }: { rules: IgnoreRules; walking: Visit }): Promise<void> {
  if (entry.name.includes("\uFFFD"))
    throw new EngineError("SOURCE_INVALID", `${path}: the file's name is not valid UTF-8.`, { hint: "Rename it." });
  if (entry.isDirectory()) {
    if (inSource(path, walking.sources)) walking.found.push({ kind: "folder", path });
    return visit(path, rules.enter(entry.name), walking);
  }
  if (!inSource(path, walking.sources))
    throw new EngineError("SOURCE_INVALID", `${path} is on the way to a source and is no plain folder.`, {
      hint: "Name the real folder as `source`.",
    });
  if (entry.isFile()) walking.found.push({ kind: "file", path });
  else if (entry.isSymbolicLink()) walking.found.push({ kind: "link", path, target: await checkedTarget(path, walking) });
  else
    throw new EngineError("SOURCE_INVALID", `${path} is ${specialName(entry)}; a source holds files, folders and links.`, {
      hint: "Remove it, or list it in .helixignore.",
    });
}

async function checkedTarget(path: string, { root, sources }: Visit): Promise<string> {
  const target = await readlink(join(root, path)).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  for (const source of sources.filter((folder) => isInside(path, folder))) {
    const problem = linkProblem(path, { target, source });
    if (problem)
      throw new EngineError("SOURCE_INVALID", `${path} is a link to ${target}, which ${problem}.`, {
        hint: "Copy what it points to into the source, or list the link in .helixignore.",
      });
  }
  return target;
}

async function list(folder: string, shown: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw unreadable(shown, error);
  }
}

/** What went wrong while reading a path of the source. Vanished files are reported as changed, so that the caller can look again. */
export function unreadable(path: string, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" || code === "ENOTDIR") return new SourceChanged(path);
  if (code === "EACCES" || code === "EPERM")
    return new EngineError("SOURCE_UNREADABLE", `${path} cannot be read: permission denied.`, { cause: error });
  return new EngineError("SOURCE_UNREADABLE", `${path} cannot be read: ${message}`, { cause: error });
}

/** A file was not what it had been a moment before. */
export class SourceChanged extends Error {
  override readonly name = "SourceChanged";
  readonly path: string;

  constructor(path: string) {
    super(`${path} changed while it was read`);
    this.path = path;
  }
}

function specialName(entry: Dirent): string {
  if (entry.isSocket()) return "a socket";
  if (entry.isFIFO()) return "a named pipe";
  return "a device";
}

/** True for what lies in a source and for the folders on the way to one. */
function isWanted(path: string, sources: readonly string[]): boolean {
  return sources.some((source) => isInside(path, source) || source.startsWith(`${path}/`));
}

function inSource(path: string, sources: readonly string[]): boolean {
  return sources.some((source) => isInside(path, source));
}

function isInside(path: string, folder: string): boolean {
  return folder === "" || path === folder || path.startsWith(`${folder}/`);
}

function normal(source: string): string {
  return source
    .replace(/^(\.\/)+/, "")
    .replace(/\/+$/, "")
    .replace(/^\.$/, "");
}

import ignore, { type Ignore } from "ignore";
import { join } from "node:path";
import { readText } from "../read-text.ts";

/** Where a file was ruled out: the ignore file and the pattern's line, or null for what is never part of a source. */
export interface Hidden {
  readonly file: string | null;
  readonly pattern: string;
}

/** Ignore rules of one folder and all folders above it, up to the root of the source. */
export interface IgnoreRules {
  /** Why an entry of this folder is not part of the source; null when it is. */
  readonly hides: (name: string, kind: "folder" | "file") => Hidden | null;
  /** The rules of a folder in this one. */
  readonly enter: (name: string) => IgnoreRules;
}

const NEVER = new Set([".git", "node_modules", ".helix"]);

/** Rules of a source: `.helixignore` files where the root has one, else `.gitignore` files; in both cases nested ones count too. */
export function ignoreRules(root: string): IgnoreRules {
  const name = readText(join(root, ".helixignore")) === null ? ".gitignore" : ".helixignore";
  return rulesOf({ root, name, folder: "", above: [] });
}

interface Level {
  /** Folder of the ignore file, relative to the root with a slash at the end; empty for the root. */
  readonly base: string;
  readonly file: string;
  readonly matcher: Ignore;
}

interface Place {
  readonly root: string;
  readonly name: string;
  readonly folder: string;
  readonly above: readonly Level[];
}

function rulesOf({ root, name, folder, above }: Place): IgnoreRules {
  const text = readText(join(root, folder, name));
  const levels = text === null ? above : [...above, { base: folder, file: folder + name, matcher: ignore().add(text) }];
  return {
    hides: (entry, kind) => neverTaken(entry) ?? hiddenBy(levels, folder + entry + (kind === "folder" ? "/" : "")),
    enter: (entry) => rulesOf({ root, name, folder: `${folder}${entry}/`, above: levels }),
  };
}

/** What belongs to tools or holds secrets. An example of an environment file holds none. */
function neverTaken(name: string): Hidden | null {
  if (NEVER.has(name)) return { file: null, pattern: name };
  if (name.startsWith(".env") && name !== ".env.example") return { file: null, pattern: ".env*" };
  return null;
}

/** The deepest ignore file that says anything decides, as git does it. */
function hiddenBy(levels: readonly Level[], path: string): Hidden | null {
  for (const { base, file, matcher } of levels.toReversed()) {
    const { ignored, unignored, rule } = matcher.test(path.slice(base.length));
    if (unignored) return null;
    if (ignored) return { file, pattern: rule?.pattern ?? path };
  }
  return null;
}

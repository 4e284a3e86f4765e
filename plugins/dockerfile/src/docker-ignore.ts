import { posix } from "node:path";
import { PluginError } from "@helixstack/sdk";

/** Says whether a path, relative to the source and `/` separated, is left out of the build. */
export type Ignores = (path: string) => boolean;

interface Rule {
  readonly pattern: RegExp;
  readonly isException: boolean;
}

/**
 * Reads a `.dockerignore`: one pattern a line, `!` for exceptions, the last that fits decides, and what holds for a folder holds for all in
 * it. Rejects with `SOURCE_UNFIT` a pattern that cannot be read.
 *
 * @see https://docs.docker.com/build/concepts/context/#dockerignore-files
 */
export function parseDockerIgnore(text: string): Ignores {
  const rules = text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .flatMap(parseLine);
  return (path) => {
    const paths = ancestry(path);
    return rules.reduce((isOut, { pattern, isException }) => (paths.some((each) => pattern.test(each)) ? !isException : isOut), false);
  };
}

function parseLine(line: string): Rule[] {
  if (line.startsWith("#") || line.trim() === "") return [];
  const isException = line.trim().startsWith("!");
  const written = line
    .trim()
    .slice(isException ? 1 : 0)
    .trim();
  const pattern = posix.normalize(written).replace(/^\/+|\/+$/g, "");
  if (pattern === "" || pattern === ".") return [];
  return [{ pattern: toRegExp(pattern), isException }];
}

/** A path and the folders around it: `a/b/c`, `a/b`, `a`. */
function ancestry(path: string): string[] {
  const parts = path.split("/");
  return parts.map((_, index) => parts.slice(0, parts.length - index).join("/"));
}

/** `**` stands for any folders, `*` and `?` for characters within a name. */
const TOKENS = /\*\*\/|\*\*|\*|\?|\[\^?(?:\\.|[^\]\\])+\]|\\.|[^*?[\\]|[[\\]/g;

function toRegExp(pattern: string): RegExp {
  const source = (pattern.match(TOKENS) ?? []).map((token) => {
    if (token === "**/") return "(?:.*/)?";
    if (token === "**") return ".*";
    if (token === "*") return "[^/]*";
    if (token === "?") return "[^/]";
    if (token.length > 1 && token.startsWith("[")) return token;
    if (token === "[" || token === "\\") throw unreadable(pattern);
    return escape(token.startsWith("\\") ? token.slice(1) : token);
  });
  try {
    return new RegExp(`^${source.join("")}$`, "s");
  } catch {
    throw unreadable(pattern);
  }
}

function escape(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

function unreadable(pattern: string): PluginError {
  return new PluginError("SOURCE_UNFIT", `.dockerignore has a pattern that cannot be read: ${pattern}`, {
    hint: "Close the bracket, or write \\\\[ for a bracket that is meant as itself.",
  });
}

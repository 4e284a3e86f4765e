import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's folder. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** One TypeScript file, as the rules see it. */
export interface SourceFile {
  /** Relative to the repository, `/` separated. */
  readonly path: string;
  /** Without comments: what a comment says breaks no rule. Lines stay where they are. */
  readonly code: string;
  readonly lines: number;
  readonly imports: readonly Import[];
}

export interface Import {
  /** As written: `./x.ts`, `node:fs`, `@helixstack/sdk/exec`. */
  readonly from: string;
  /** The file it names, relative to the repository; null for packages. */
  readonly file: string | null;
  /** The package it names (`@helixstack/sdk`), null for files and for Node's own modules. */
  readonly package: string | null;
  /** Gone when compiled. */
  readonly isType: boolean;
}

const STATEMENT = /^(?:import|export)\s+(type\s)?(?:[\w*$\s{},]*?\sfrom\s+)?"([^"]+)"/gm;
const DYNAMIC = /\bimport\(\s*"([^"]+)"/g;

export function sourceFile(path: string, text: string): SourceFile {
  const code = withoutComments(text);
  const found = [
    ...[...code.matchAll(STATEMENT)].map(([whole, type, from]) => ({ from: from!, isType: type !== undefined || onlyTypes(whole) })),
    ...[...code.matchAll(DYNAMIC)].map(([, from]) => ({ from: from!, isType: false })),
  ];
  const imports = found.map((one) => ({ ...one, file: fileOf(path, one.from), package: packageOf(one.from) }));
  return { path, code, lines: text.trimEnd().split("\n").length, imports };
}

/** Every source file of the packages and plugins. */
export function sourceTree(): readonly SourceFile[] {
  return ["packages", "plugins"].flatMap((kind) =>
    readdirSync(join(root, kind)).flatMap((name) =>
      filesBelow(`${kind}/${name}/src`).map((path) => sourceFile(path, readFileSync(join(root, path), "utf8"))),
    ),
  );
}

function filesBelow(folder: string): readonly string[] {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith(".ts"));
  return files.map((entry) => join(entry.parentPath, entry.name).slice(root.length).split("\\").join("/")).toSorted();
}

/** Comments that stand alone or behind code; a `//` within a string has no space before it. */
function withoutComments(text: string): string {
  const blank = (comment: string) => comment.replace(/[^\n]/g, "");
  return text.replace(/^\s*\/\*[\s\S]*?\*\//gm, blank).replace(/(^|\s)\/\/.*$/gm, "$1");
}

/** `import { type A, type B } from` imports nothing either. */
function onlyTypes(statement: string): boolean {
  const names = /^(?:import|export)\s*\{([^}]*)\}/.exec(statement)?.[1] ?? "";
  const named = names
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  return named.length > 0 && named.every((name) => name.startsWith("type "));
}

function fileOf(path: string, from: string): string | null {
  return from.startsWith(".") ? posix.normalize(posix.join(dirname(path), from)) : null;
}

function packageOf(from: string): string | null {
  if (from.startsWith(".") || from.startsWith("node:")) return null;
  return from
    .split("/")
    .slice(0, from.startsWith("@") ? 2 : 1)
    .join("/");
}

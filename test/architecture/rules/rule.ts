import type { SourceFile } from "../source-file.ts";

/** One rule: the sentences that say where it is broken. */
export interface Rule {
  /** What holds, as a sentence. */
  readonly name: string;
  readonly check: (files: readonly SourceFile[]) => readonly string[];
}

/** A rule that looks at each file alone. */
export function perFile(name: string, check: (file: SourceFile) => readonly string[]): Rule {
  return { name, check: (files) => files.flatMap((file) => check(file).map((what) => `${file.path}: ${what}`)) };
}

/** Each place in a file's code where the pattern (global) matches, with its line. */
export function places(file: SourceFile, pattern: RegExp): readonly string[] {
  return [...file.code.matchAll(pattern)].map((match) => `line ${file.code.slice(0, match.index).split("\n").length}: ${match[0].trim()}`);
}

/** `@scope/*` stands for every package of the scope. */
export function isListed(name: string, list: readonly string[]): boolean {
  return list.some((one) => one === name || (one.endsWith("/*") && name.startsWith(one.slice(0, -1))));
}

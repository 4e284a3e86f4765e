import { EngineError } from "../domain/errors.ts";
import type { Span } from "./tree.ts";

/** One thing that is wrong with a manifest. */
export interface Problem {
  readonly code: "MANIFEST_INVALID" | "PLUGIN_UNKNOWN";
  /** What is wrong and what to write instead, one line, without the place. */
  readonly message: string;
  /** Dotted path in the manifest; empty for the whole. */
  readonly path: string;
  readonly span: Span;
}

/** A {@link Problem} as people and programs read it. */
export interface PlacedProblem {
  readonly code: Problem["code"];
  readonly message: string;
  readonly path: string;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
}

/** The text that problems point into. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
}

const SHOWN = 5;
const FRAME_WIDTH = 120;

/** Line and column of an offset, both from 1. */
export function placeOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, Math.min(offset, text.length));
  const line = before.split("\n").length;
  return { line, column: before.length - (before.lastIndexOf("\n") + 1) + 1 };
}

/** One `MANIFEST_INVALID` for all problems: the first ones with a code frame each, all of them in `details.problems`. */
export function manifestError(problems: readonly Problem[], source: SourceText): EngineError {
  const sorted = distinct(problems).sort((a, b) => a.span.start - b.span.start);
  const placed = sorted.map((problem) => place(problem, source));
  const shown = sorted.slice(0, SHOWN).map((problem, i) => describe(placed[i]!, { span: problem.span, source }));
  const more = sorted.length - shown.length;
  if (more > 0) shown.push(`and ${more} more problem${more === 1 ? "" : "s"}`);
  return new EngineError("MANIFEST_INVALID", shown.join("\n\n"), { details: { problems: placed } });
}

function place({ code, message, path, span }: Problem, { file, text }: SourceText): PlacedProblem {
  return { code, message, path, file, ...placeOf(text, span.start) };
}

function describe(problem: PlacedProblem, { span, source }: { span: Span; source: SourceText }): string {
  const { file, line, column, message } = problem;
  return `${file}:${line}:${column}: ${message}\n${codeFrame(source.text, { line, column, length: span.end - span.start })}`;
}

/** The line with its number and carets under the place. */
function codeFrame(text: string, { line, column, length }: { line: number; column: number; length: number }): string {
  const whole = (text.split("\n")[line - 1] ?? "").replace(/\r$/, "");
  const shown = whole.slice(0, Math.max(FRAME_WIDTH, column + 20));
  const gutter = String(line);
  // A tab in the margin keeps the caret below its character however wide the terminal draws it.
  const margin = shown.slice(0, column - 1).replace(/[^\t]/g, " ");
  const carets = "^".repeat(Math.max(1, Math.min(length, shown.trimEnd().length - column + 1)));
  return [`  ${gutter} | ${shown}`, `  ${" ".repeat(gutter.length)} | ${margin}${carets}`].join("\n");
}

function distinct(problems: readonly Problem[]): Problem[] {
  const seen = new Map(problems.map((problem) => [`${problem.span.start} ${problem.message}`, problem]));
  return [...seen.values()];
}

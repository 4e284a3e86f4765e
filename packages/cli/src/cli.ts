import { EngineError } from "@helixstack/core/client";
import { resolve } from "node:path";
import { statSync } from "node:fs";
import { type Colors, canRedraw, colorsFor } from "./output/colors.ts";

/** The options that every command has. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly cwd?: string;
  /** False for `--no-color`. */
  readonly color?: boolean;
}

/** What a command gets of the world: where it stands, and the only ways to print. */
export interface Cli {
  readonly json: boolean;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Colours of stdout. */
  readonly colors: Colors;
  readonly err: ErrStream;
  /** Prints the result: one JSON document, or the text. Called once. */
  readonly result: (document: object, text: () => string) => void;
  /** Prints one of many documents of a command that follows, one a line. */
  readonly follow: (document: object, text: () => string) => void;
  /** Says something to a person, on stderr. Silent with `--json`. */
  readonly note: (text: string) => void;
}

/** stderr, and what it can show. */
export interface ErrStream {
  readonly colors: Colors;
  readonly canRedraw: boolean;
  readonly columns: () => number;
  readonly rows: () => number;
  readonly write: (text: string) => void;
}

export function createCli(options: GlobalOptions): Cli {
  const { env } = process;
  const noColor = options.color === false;
  const json = options.json === true;
  const print = (text: string) => process.stdout.write(text === "" ? "" : `${text.replace(/\n$/, "")}\n`);
  const emit = (document: object, text: () => string) => void print(json ? JSON.stringify({ ok: true, ...document }) : text());
  const err = errStream(noColor);
  return {
    json,
    cwd: workingFolder(options.cwd),
    env,
    colors: colorsFor({ isTTY: process.stdout.isTTY, env, noColor }),
    err,
    result: emit,
    follow: emit,
    note: (text) => {
      if (!json) err.write(`${text}\n`);
    },
  };
}

export function errStream(noColor: boolean): ErrStream {
  const traits = { isTTY: process.stderr.isTTY, env: process.env, noColor };
  return {
    colors: colorsFor(traits),
    canRedraw: canRedraw(traits),
    columns: () => process.stderr.columns || 80,
    rows: () => process.stderr.rows || 24,
    write: (text) => void process.stderr.write(text),
  };
}

function workingFolder(asked: string | undefined): string {
  if (asked === undefined) return process.cwd();
  const folder = resolve(asked);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new EngineError("USAGE", `--cwd: there is no folder ${folder}`);
  return folder;
}

import { PluginError } from "./errors.ts";

/** A command as data: what to run, and the environment that stands before it. */
export interface Command {
  /** Program and arguments; at least one. */
  readonly argv: readonly string[];
  /** From leading `NAME=value` words. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Splits a command line into an argument list by the quoting rules of a shell, without a shell: quotes, backslashes, and leading
 * `NAME=value` words. What only a shell can do (operators, variables, patterns) is refused with `INVALID_SPEC`, naming the
 * character and where it stands.
 *
 * @example parseCommand("NODE_ENV=production node 'my app.js'")
 * // { argv: ["node", "my app.js"], env: { NODE_ENV: "production" } }
 */
export function parseCommand(text: string): Command {
  const words = splitWords(text);
  const firstWord = words.findIndex((word) => word.assignment === null);
  if (firstWord === -1) throw refuse(text, "names no program to run");
  const argv = words.slice(firstWord).map((word) => word.text);
  if (argv[0] === "") throw refuse(text, "begins with an empty word, so it names no program to run");
  if (SHELL_WORDS.has(argv[0]!)) throw refuse(text, `begins with "${argv[0]}", which is a word of the shell and not a program`);
  const env = words.slice(0, firstWord).map(({ text: word, assignment }) => [assignment!, word.slice(assignment!.length + 1)]);
  return { argv, env: Object.fromEntries(env) };
}

/** Refused wherever they stand without quotes. */
const OPERATORS = /^(?:&&|\|\||>>|<<|;;|[&|;<>()$`*?[\n])/;
/** Refused at the beginning of a word. */
const WORD_STARTS = /^[~#]/;
const ASSIGNMENT = /^[A-Za-z_][A-Za-z0-9_]*(?==)/;
/** Words that a shell obeys itself. With one of these first, there is no program to start. */
const SHELL_WORDS = new Set([
  "cd",
  "exec",
  "export",
  "source",
  ".",
  "eval",
  "set",
  "unset",
  "if",
  "for",
  "while",
  "case",
  "!",
  "{",
  "trap",
]);

interface Word {
  readonly text: string;
  /** The name, when the word has the form `NAME=value` with the name outside quotes. */
  readonly assignment: string | null;
}

interface Cursor {
  readonly text: string;
  at: number;
}

function splitWords(text: string): Word[] {
  if (text.includes("\0")) throw refuse(text.replaceAll("\0", ""), "contains a NUL character");
  const cursor: Cursor = { text: text.trim(), at: 0 };
  const words: Word[] = [];
  for (;;) {
    skipBlanks(cursor);
    if (cursor.at >= cursor.text.length) return words;
    words.push(readWord(cursor));
  }
}

function skipBlanks(cursor: Cursor): void {
  const blanks = /^(?:[ \t\r]|\\\r?\n)+/.exec(cursor.text.slice(cursor.at));
  cursor.at += blanks?.[0].length ?? 0;
}

function readWord(cursor: Cursor): Word {
  const rest = cursor.text.slice(cursor.at);
  const assignment = ASSIGNMENT.exec(rest)?.[0] ?? null;
  refuseMatch(cursor, WORD_STARTS);
  let word = "";
  while (cursor.at < cursor.text.length) {
    const character = cursor.text[cursor.at]!;
    if (/[ \t\r]/.test(character)) break;
    if (character === "'") word += readSingleQuoted(cursor);
    else if (character === '"') word += readDoubleQuoted(cursor);
    else if (character === "\\") word += readEscape(cursor);
    else {
      refuseMatch(cursor, OPERATORS);
      word += character;
      cursor.at++;
    }
  }
  return { text: word, assignment };
}

function readSingleQuoted(cursor: Cursor): string {
  const end = cursor.text.indexOf("'", cursor.at + 1);
  if (end === -1) throw refuse(cursor.text, `has a ' at character ${cursor.at + 1} that is never closed`);
  const inner = cursor.text.slice(cursor.at + 1, end);
  cursor.at = end + 1;
  return inner;
}

function readDoubleQuoted(cursor: Cursor): string {
  const start = cursor.at++;
  let inner = "";
  for (;;) {
    const character = cursor.text[cursor.at];
    if (character === undefined) throw refuse(cursor.text, `has a " at character ${start + 1} that is never closed`);
    if (character === '"') {
      cursor.at++;
      return inner;
    }
    refuseMatch(cursor, /^[$`]/);
    // Between double quotes a backslash only hides these; before anything else it is a backslash.
    if (character === "\\" && /[\\"$`\n]/.test(cursor.text[cursor.at + 1] ?? "")) inner += readEscape(cursor);
    else {
      inner += character;
      cursor.at++;
    }
  }
}

function readEscape(cursor: Cursor): string {
  const next = cursor.text[cursor.at + 1];
  if (next === undefined) throw refuse(cursor.text, "ends with a backslash");
  cursor.at += 2;
  return next === "\n" ? "" : next;
}

function refuseMatch(cursor: Cursor, pattern: RegExp): void {
  const found = pattern.exec(cursor.text.slice(cursor.at))?.[0];
  if (found === undefined) return;
  const shown = found === "\n" ? "a line break" : `"${found}"`;
  throw refuse(cursor.text, `has ${shown} at character ${cursor.at + 1}, which only a shell understands`);
}

function refuse(text: string, why: string): PluginError {
  return new PluginError("INVALID_SPEC", `the command \`${text.trim()}\` ${why}`, {
    hint:
      "No shell runs here. Put the line into a script file and write `sh start.sh`, quote the character if it is meant as itself, " +
      "or list commands that run once before the start under `tasks`.",
  });
}

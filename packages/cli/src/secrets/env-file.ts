import { EngineError, isReservedName, isSecretName } from "@helixstack/core/client";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { parseEnv } from "node:util";

/** What a `.env` file has that can be secrets, and what it has besides. */
export interface EnvFile {
  readonly text: string;
  readonly values: Readonly<Record<string, string>>;
  /** Names that are left out, each with the reason. */
  readonly skipped: readonly { readonly name: string; readonly why: string }[];
}

/** Reads it. Rejects with `SOURCE_UNREADABLE`, never showing a line of it. */
export function readEnvFile(path: string): EnvFile {
  const text = readText(path);
  if (text === null)
    throw new EngineError("SOURCE_UNREADABLE", `There is no file ${path}.`, { hint: "Name the file: `helix env push FILE`." });
  return parseEnvText(text);
}

/** The names in a file that may not be there. */
export function namesInEnvFile(path: string): readonly string[] {
  const text = readText(path);
  return text === null ? [] : Object.keys(parseEnvText(text).values);
}

export function parseEnvText(text: string): EnvFile {
  const all = Object.entries(parseEnv(text)) as readonly (readonly [string, string])[];
  const faults = all.flatMap(([name, value]) => {
    const why = faultOf(name, value);
    return why === null ? [] : [{ name, why }];
  });
  const bad = new Set(faults.map(({ name }) => name));
  return { text, values: Object.fromEntries(all.filter(([name]) => !bad.has(name))), skipped: faults };
}

/** The text with these values in it: lines of other names and comments stay as they are. Rejects with `SECRET_INVALID` for what no line can hold. */
export function mergeEnvText(text: string, values: Readonly<Record<string, string>>): string {
  const left = new Map(Object.entries(values));
  const replaced = text.replace(ENTRY, (line: string, head: string, name: string) => {
    const value = left.get(name);
    if (value === undefined) return line;
    left.delete(name);
    return parseEnv(line)[name] === value ? line : `${head}${quoted(name, value)}`;
  });
  const added = [...left].map(([name, value]) => `${name}=${quoted(name, value)}\n`).join("");
  const merged = replaced === "" || replaced.endsWith("\n") || added === "" ? replaced + added : `${replaced}\n${added}`;
  const read = parseEnv(merged);
  const wrong = Object.keys(values).find((name) => read[name] !== values[name]);
  if (wrong !== undefined) throw unwritable(wrong);
  return merged;
}

const ENTRY = /^([ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*)("[^"]*"|'[^']*'|`[^`]*`|[^\n]*)/gm;

/** Whichever way of writing it is read back as the same. */
function quoted(name: string, value: string): string {
  if (/^[\w./:@%+,=~-]+$/.test(value)) return value;
  const way = ["'", "`", '"'].filter((quote) => !value.includes(quote)).map((quote) => `${quote}${value}${quote}`);
  const right = way.find((one) => parseEnv(`X=${one}`)["X"] === value);
  if (right !== undefined) return right;
  throw unwritable(name);
}

function unwritable(name: string): EngineError {
  return new EngineError("SECRET_INVALID", `the value of ${name} cannot be written in a .env file: no kind of quote holds it`);
}

function faultOf(name: string, value: string): string | null {
  if (!isSecretName(name)) return "is no name of a variable";
  if (isReservedName(name)) return "is set by HelixStack itself";
  return value === "" ? "has no value" : null;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw new EngineError("SOURCE_UNREADABLE", `${basename(path)} cannot be read (${code ?? "unknown"}).`);
  }
}

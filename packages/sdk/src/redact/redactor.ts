import { formsOf } from "./forms.ts";
import { type Matcher, type Span, createMatcher } from "./matcher.ts";
import { hasNoShape, maskShapes } from "./shapes.ts";
import { type RedactingStream, redactingStream } from "./stream.ts";

const MASK = "[secret]";

/** Masks secrets wherever they stand in a text: known values in the forms that programs write them in, and tokens of well-known shapes. */
export interface Redactor {
  /** From now on this value is masked. Values under four characters cannot be. */
  add(value: string): void;
  /** A whole text, or a line of one. */
  text(text: string): string;
  /** The same for every string within plain JSON, names of members too. Nothing is changed in place: what has nothing to mask comes back itself. */
  deep<T>(value: T): T;
  /** Masks across the borders of chunks. */
  stream(): RedactingStream;
}

/**
 * A redactor that knows no value yet.
 *
 * @example
 * const redactor = createRedactor();
 * redactor.add("hunter2!");
 * redactor.text("password: hunter2!"); // "password: [secret]"
 */
export function createRedactor({ shapes = true }: { readonly shapes?: boolean } = {}): Redactor {
  const forms = new Set<string>();
  let matcher: Matcher | null = null;
  const current = (): Matcher => (matcher ??= createMatcher([...forms]));
  const mask = (text: string, spans: readonly Span[]) => {
    const masked = maskSpans(text, spans);
    return shapes ? maskShapes(masked, MASK) : masked;
  };
  const text = (input: string): string => mask(input, forms.size === 0 ? [] : current().find(input));
  const deepMasked = (value: unknown): unknown => {
    if (typeof value === "string") return text(value);
    if (Array.isArray(value)) return value.map(deepMasked);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [text(key), deepMasked(part)]));
  };
  // One look at all strings together is many times as fast as one at each, and most have nothing to mask.
  const deep = (value: unknown): unknown => {
    const all = stringsOf(value).join("\n");
    const isClean = (forms.size === 0 || current().find(all).length === 0) && (!shapes || hasNoShape(all));
    return isClean ? value : deepMasked(value);
  };
  return {
    add(value) {
      for (const form of formsOf(value)) forms.add(form);
      matcher = null;
    },
    text,
    deep: <T>(value: T) => deep(value) as T,
    stream: () => redactingStream({ matcher: current, mask, shapes }),
  };
}

/** Every string within plain JSON, names of members too. */
function stringsOf(value: unknown, found: string[] = []): readonly string[] {
  if (typeof value === "string") found.push(value);
  else if (Array.isArray(value)) for (const part of value) stringsOf(part, found);
  else if (typeof value === "object" && value !== null) {
    for (const key in value) {
      found.push(key);
      stringsOf((value as Readonly<Record<string, unknown>>)[key], found);
    }
  }
  return found;
}

function maskSpans(text: string, spans: readonly Span[]): string {
  let output = "";
  let at = 0;
  for (const { start, end } of spans) {
    output += text.slice(at, start) + MASK;
    at = end;
  }
  return at === 0 ? text : output + text.slice(at);
}

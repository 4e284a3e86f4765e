import { knownSecret, maskOf, secretKind } from "./secret-shapes.ts";

/**
 * The same value with a mask in place of everything that looks like a secret: variables of any `env`, changes of them, and text of a known shape wherever it
 * stands. A value that was found in one place is masked in every place. Policies are asked about the result, and it is what is stored.
 */
export function maskInput<T>(input: T): T {
  const found = new Map<string, string>();
  collect(input, found);
  return found.size === 0 ? input : (replaced(input, [...found]) as T);
}

/** Shorter values are too common to be looked for elsewhere. */
const SEARCHED_LENGTH = 8;

function collect(value: unknown, found: Map<string, string>): void {
  if (typeof value === "string") {
    const kind = knownSecret(value);
    if (kind) found.set(value, maskOf(kind));
  } else if (Array.isArray(value)) for (const one of value) collect(one, found);
  else if (isMap(value)) {
    for (const [key, member] of Object.entries(value)) {
      if (key === "env" && isMap(member)) collectVariables(member, found);
      collect(member, found);
    }
    collectChange(value, found);
  }
}

function collectVariables(variables: Readonly<Record<string, unknown>>, found: Map<string, string>): void {
  for (const [name, text] of Object.entries(variables)) note(name, { text, found });
}

/** A change of a plan: `{ path: "env.API_KEY", from, to }`. */
function collectChange({ path, from, to }: Readonly<Record<string, unknown>>, found: Map<string, string>): void {
  const variable = typeof path === "string" ? /(?:^|\.)env\.([^.]+)$/.exec(path)?.[1] : undefined;
  if (variable === undefined) return;
  for (const text of [from, to]) note(variable, { text, found });
}

function note(variable: string, { text, found }: { text: unknown; found: Map<string, string> }): void {
  const kind = typeof text === "string" ? secretKind(variable, text) : null;
  if (kind) found.set(text as string, maskOf(kind));
}

function replaced(value: unknown, found: readonly (readonly [secret: string, mask: string])[]): unknown {
  if (typeof value === "string") return replacedText(value, found);
  if (Array.isArray(value)) return value.map((one) => replaced(one, found));
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, replaced(member, found)]));
}

function replacedText(text: string, found: readonly (readonly [secret: string, mask: string])[]): string {
  const whole = found.find(([secret]) => secret === text);
  if (whole) return whole[1];
  return found.reduce((rest, [secret, mask]) => (secret.length >= SEARCHED_LENGTH ? rest.replaceAll(secret, mask) : rest), text);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

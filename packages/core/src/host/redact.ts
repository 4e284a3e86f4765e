const MASK = "[secret]";
/** Shorter values are no secrets, and masking them would make every text unreadable. */
const SHORTEST = 4;

/** Masks values that were handed out, wherever they stand in a text. */
export interface Redactor {
  add(value: string): void;
  text(text: string): string;
  /** The same for every string within plain JSON. Nothing is changed in place. */
  deep<T>(value: T): T;
}

export function createRedactor(): Redactor {
  const values = new Set<string>();
  const text = (input: string): string => {
    let output = input;
    for (const value of values) output = output.replaceAll(value, MASK);
    return output;
  };
  const deep = (value: unknown): unknown => {
    if (typeof value === "string") return text(value);
    if (Array.isArray(value)) return value.map(deep);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, deep(part)]));
  };
  return {
    add(value) {
      // Text comes by lines, so each line of a longer secret (a key file) is a secret too.
      const parts = [value, ...value.split("\n")].map((part) => part.trim()).filter((part) => part.length >= SHORTEST);
      const all = [...values, ...parts].toSorted((a, b) => b.length - a.length);
      values.clear();
      for (const part of all) values.add(part);
    },
    text,
    deep: (value) => (values.size === 0 ? value : (deep(value) as typeof value)),
  };
}

/** Where a manifest was read: its file, and the line of each dotted path that stands in it. */
export interface Origin {
  readonly file: string;
  readonly lines: Readonly<Record<string, number>>;
}

/** The line of a path, or of its nearest ancestor that stands in the file; null when none does. */
export function nearestLine(lines: Origin["lines"], path: string): number | null {
  for (let rest = path; rest !== ""; rest = rest.slice(0, Math.max(0, rest.lastIndexOf(".")))) {
    if (Object.hasOwn(lines, rest)) return lines[rest]!;
  }
  return null;
}

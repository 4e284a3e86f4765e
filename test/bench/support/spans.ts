import { readFile } from "node:fs/promises";

/** One call of a port, as the plane's trace has it. */
export interface Span {
  readonly at: number;
  readonly ms: number;
  readonly name: string;
  readonly detail?: string;
}

/** The spans that began in a window, by time. Milliseconds since 1970. */
export async function spansBetween(file: string, { from, to }: { from: number; to: number }): Promise<readonly Span[]> {
  const lines = (await readFile(file, "utf8")).split("\n").filter(Boolean);
  const all = lines.map((line) => JSON.parse(line) as Span);
  return all.filter(({ at }) => at >= from && at <= to).toSorted((a, b) => a.at - b.at);
}

/** How long at least one of the spans lasted, milliseconds: what overlaps counts once. */
export function covered(spans: readonly Span[]): number {
  let total = 0;
  let end = 0;
  for (const { at, ms } of spans.toSorted((a, b) => a.at - b.at)) {
    total += Math.max(0, at + ms - Math.max(at, end));
    end = Math.max(end, at + ms);
  }
  return total;
}

/** What an experiment came to: figures for people, and everything that was wrong. */
export interface Result {
  readonly experiment: string;
  readonly figures: Readonly<Record<string, number | string>>;
  /** One sentence each; a fault of the harness counts as well. */
  readonly failures: readonly string[];
}

/** The value below which `share` (0 to 1) of the values lie; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** `p50`, `p95` and `max`, in whole milliseconds. */
export function spread(name: string, values: readonly number[]): Record<string, number> {
  if (values.length === 0) return {};
  return Object.fromEntries(
    [
      ["p50", 0.5],
      ["p95", 0.95],
      ["max", 1],
    ].map(([label, share]) => [`${name} ${label} ms`, Math.round(percentile(values, share as number))]),
  );
}

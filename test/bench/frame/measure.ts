import { type Bound, type Row, rowOf } from "./figure.ts";

/** What one side measured: the samples of each round. */
export type Rounds = readonly (readonly number[])[];

/**
 * Measures several ways side by side: each round does all of them, every second round backwards, so that what the machine does otherwise
 * meets all alike. A way answers with its samples of one round.
 */
export async function interleave<Name extends string>(
  rounds: number,
  ways: Readonly<Record<Name, (round: number) => Promise<number | readonly number[]>>>,
): Promise<Record<Name, number[][]>> {
  const names = Object.keys(ways) as Name[];
  const measured = Object.fromEntries(names.map((name) => [name, [] as number[][]])) as Record<Name, number[][]>;
  for (let round = 0; round < rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const samples = await ways[name](round);
      measured[name].push(typeof samples === "number" ? [samples] : [...samples]);
    }
  }
  return measured;
}

/** How long `act` takes, in milliseconds. */
export async function timed(act: () => unknown): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

/** The value below which `share` (0 to 1) of the values lie; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export interface Comparison {
  readonly name: string;
  readonly unit: string;
  readonly helix: Rounds;
  readonly peer: Rounds;
  readonly against: string;
  /** Default 0.5. Above it all rounds are taken together: one round has too few samples for its tail. */
  readonly share?: number;
}

/** Two sides of one interleaved run. The ratio is the median of the rounds' ratios, so that a slow minute counts once. */
export function compare({ name, unit, helix, peer, against, share = 0.5 }: Comparison, bound?: Bound): Row {
  const [ours, theirs] = [quantile(helix.flat(), share), quantile(peer.flat(), share)];
  const ratio = share > 0.5 ? ours / theirs : median(helix.map((round, i) => median(round) / median(peer[i] as readonly number[])));
  return rowOf({ name, unit, helix: ours, peer: theirs, against, ratio, n: helix.flat().length }, bound);
}

/** A value without another side. */
export function alone(row: Pick<Row, "name" | "unit" | "n"> & { readonly value: number }, bound?: Bound): Row {
  const { name, unit, n, value } = row;
  return rowOf({ name, unit, n, helix: value, peer: null, against: null, ratio: null }, bound);
}

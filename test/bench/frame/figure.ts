/** One figure of `npm run bench`: a file `test/bench/<name>.ts` that exports `figure`. The runner finds it by its name. */
export interface Figure {
  /** One line for lists and the page. */
  readonly title: string;
  /** What should hold, in words; the rows say whether it does. */
  readonly goal: string;
  /** Rounds where `--rounds` does not say: as few as give a steady median. */
  readonly rounds: number;
  readonly run: (bench: Bench) => Promise<readonly Row[]>;
}

/** What a figure gets. */
export interface Bench {
  readonly rounds: number;
  /** A sentence for the page: what was left out and why, where the time goes. Printed at once. */
  readonly note: (sentence: string) => void;
  /** Notes what makes commits durable, for figures with a database. Asked from the database itself. */
  readonly database: (url: string) => Promise<void>;
}

/** One line of a figure's table. */
export interface Row {
  /** What was measured, and of what: `p50 of a switch, ms`. */
  readonly name: string;
  readonly helix: number;
  /** The same of the other side; null where there is none. */
  readonly peer: number | null;
  /** Who the other side is. */
  readonly against: string | null;
  /** helix / peer: of medians, the median over the rounds. */
  readonly ratio: number | null;
  readonly unit: string;
  /** Measurements on each side. */
  readonly n: number;
  /** The goal in short, `ratio <= 1.05`; null for a row that explains another. */
  readonly goal: string | null;
  readonly met: boolean | null;
}

/** A bound on a row's ratio or on its own value. One of `most` and `least`. */
export interface Bound {
  readonly of: "ratio" | "helix";
  readonly most?: number;
  readonly least?: number;
}

/** A row of which the goal is a bound. */
export function rowOf(row: Omit<Row, "goal" | "met">, bound?: Bound): Row {
  if (!bound) return { ...row, goal: null, met: null };
  const { of, most, least } = bound;
  const value = row[of];
  const goal = most === undefined ? `${of} >= ${least}` : `${of} <= ${most}`;
  if (value === null) return { ...row, goal, met: null };
  return { ...row, goal, met: value <= (most ?? Number.POSITIVE_INFINITY) && value >= (least ?? Number.NEGATIVE_INFINITY) };
}

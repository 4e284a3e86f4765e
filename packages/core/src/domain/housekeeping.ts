import type { RevisionState } from "./states.ts";

/** A revision, as far as its leaving is concerned. Times are milliseconds since 1970. */
export interface LeavingRevision {
  readonly id: string;
  readonly service: string;
  readonly state: RevisionState;
  readonly createdAt: number;
  readonly retireAt: number | null;
  /** Whether it can be frozen: its runtime can, it holds no single-writer volume, and nothing has gone wrong with it. */
  readonly canFreeze: boolean;
}

/** What shall become of each revision that is on its way out. */
export interface Housekeeping {
  /** Out of the table: wait for its requests, then freeze it. */
  readonly freeze: readonly string[];
  /** Out of the table: wait for its requests, then remove it. */
  readonly drain: readonly string[];
  /** Nothing is in flight there: remove it now. */
  readonly retire: readonly string[];
  /** When to look again; null when nothing will be left. */
  readonly wakeAt: number | null;
}

/**
 * Decides. `keep` revisions of each service stay warm, those that served last; `isBusy` says that a deployment is at work, whose new
 * revisions are not abandoned ones.
 */
export function housekeeping(
  revisions: readonly LeavingRevision[],
  { now, keep, isBusy }: { now: number; keep: number; isBusy: boolean },
): Housekeeping {
  const newestFirst = revisions.toSorted((a, b) => servedUntil(b) - servedUntil(a) || b.createdAt - a.createdAt);
  const draining = newestFirst.filter(({ state }) => state === "draining");
  const stays = new Set(
    newestFirst
      .filter(({ state, canFreeze, retireAt }) => (state === "draining" && canFreeze) || (state === "warm" && !isDue(retireAt, now)))
      .filter((revision, _, all) => all.filter(({ service }) => service === revision.service).indexOf(revision) < keep)
      .map(({ id }) => id),
  );
  // A warm revision without a time is still being frozen by whoever marked it; it is finished first.
  const halfFrozen = newestFirst.filter(({ id, state, retireAt }) => state === "warm" && retireAt === null && stays.has(id));
  const timers = newestFirst.flatMap(({ id, state, retireAt }) =>
    state === "warm" && retireAt !== null && stays.has(id) ? [retireAt] : [],
  );
  return {
    freeze: [...draining.filter(({ id }) => stays.has(id)), ...halfFrozen].map(({ id }) => id),
    drain: draining.filter(({ id }) => !stays.has(id)).map(({ id }) => id),
    retire: newestFirst.filter((revision) => isOver(revision, { isBusy, stays })).map(({ id }) => id),
    wakeAt: timers.length === 0 ? null : Math.min(...timers),
  };
}

/** Which revision served last: one that is just leaving, then those that were frozen last. */
function servedUntil({ state, retireAt }: LeavingRevision): number {
  return state === "warm" && retireAt !== null ? retireAt : Number.MAX_SAFE_INTEGER;
}

function isOver({ id, state }: LeavingRevision, { isBusy, stays }: { isBusy: boolean; stays: ReadonlySet<string> }): boolean {
  if (state === "retiring") return true;
  if (state === "starting") return !isBusy;
  return state === "warm" && !stays.has(id);
}

function isDue(at: number | null, now: number): boolean {
  return at !== null && at <= now;
}

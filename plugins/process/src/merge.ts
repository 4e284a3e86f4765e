import type { UnitLogLine } from "./client.ts";

/** A line and the instance that wrote it. */
export interface Sourced {
  readonly instance: number;
  readonly line: UnitLogLine;
}

type Source = AsyncIterator<Sourced>;

/** Merges logs that end, by cursor: cursors of all instances are times. Holds one line of each. */
export async function* mergeByCursor(sources: readonly Source[]): AsyncGenerator<Sourced> {
  const heads = await Promise.all(sources.map((source) => source.next()));
  try {
    for (;;) {
      let first = -1;
      for (const [index, head] of heads.entries()) {
        if (!head.done && (first < 0 || head.value.line.c < (heads[first]!.value as Sourced).line.c)) first = index;
      }
      const head = heads[first];
      if (head === undefined || head.done) return;
      yield head.value;
      heads[first] = await sources[first]!.next();
    }
  } finally {
    await endAll(sources);
  }
}

/** Gives lines as they come, from whichever source. Ends when all have ended; fails when one fails. */
export async function* mergeLive(sources: readonly Source[]): AsyncGenerator<Sourced> {
  const pending = new Map<Source, Promise<{ source: Source; result: IteratorResult<Sourced> }>>();
  const ask = (source: Source): void =>
    void pending.set(
      source,
      source.next().then((result) => ({ source, result })),
    );
  sources.forEach(ask);
  try {
    while (pending.size > 0) {
      const { source, result } = await Promise.race(pending.values());
      pending.delete(source);
      if (result.done) continue;
      yield result.value;
      ask(source);
    }
  } finally {
    for (const promise of pending.values()) promise.catch(() => undefined);
    void endAll(sources);
  }
}

async function endAll(sources: readonly Source[]): Promise<void> {
  await Promise.all(sources.map(async (source) => source.return?.(undefined)));
}

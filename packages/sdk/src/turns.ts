/** A batch that has as many characters is given away before its turn is over; a single text may have more. */
export const BATCH_CHARACTERS = 64 * 1024;

export interface TurnOptions<T> {
  /** How an item is written. Fails the iteration when it throws. */
  readonly write: (item: T) => string;
  /** Ends the iteration at once; what was gathered is dropped, and nobody waits for the source's end. Absent: it ends as the source does. */
  readonly signal?: AbortSignal;
  /** After a batch the next one has so long to grow, milliseconds, unless it is full before. What comes after a pause does not wait. Default 0. */
  readonly restMs?: number;
}

/**
 * What `source` gives, written, and together what it gives within one turn of the event loop: a message for each would cost many times the item itself.
 * While nobody asks for a batch, the next one grows until it is full, and then `source` is asked for nothing more. An error of `source` comes after
 * what it gave before.
 */
export async function* inTurns<T>(source: AsyncIterable<T>, options: TurnOptions<T>): AsyncGenerator<readonly string[], void> {
  const iterator = source[Symbol.asyncIterator]();
  const gathering = gather(iterator, options);
  const { signal } = options;
  signal?.addEventListener("abort", gathering.wake, { once: true });
  try {
    while (!signal?.aborted) {
      const batch = gathering.take();
      if (batch === null) return;
      if (batch.length > 0) yield batch;
      else await gathering.ready();
    }
  } finally {
    signal?.removeEventListener("abort", gathering.wake);
    const over = iterator.return?.();
    if (signal) over?.catch(() => undefined);
    else await over;
  }
}

function gather<T>(iterator: AsyncIterator<T>, { write, signal, restMs = 0 }: TurnOptions<T>) {
  let batch: string[] = [];
  let characters = 0;
  let isTurnOver = false;
  let ended: { readonly error?: unknown } | null = null;
  let isAsking = false;
  let wake = () => {};
  const end = (how: { readonly error?: unknown }) => {
    ended = how;
    wake();
  };
  const ask = () => {
    isAsking = ended === null && characters < BATCH_CHARACTERS && !signal?.aborted;
    if (isAsking) iterator.next().then(add, fail);
    else wake();
  };
  const fail = (error: unknown) => end({ error });
  const add = (next: IteratorResult<T>) => {
    if (next.done) return end({});
    try {
      const text = write(next.value);
      batch.push(text);
      characters += text.length;
    } catch (error) {
      return fail(error);
    }
    if (batch.length === 1 && !rest.isOn) setImmediate(turnOver);
    ask();
  };
  const turnOver = () => {
    isTurnOver = true;
    wake();
  };
  const rest = pause(restMs, () => batch.length > 0 && turnOver());
  ask();
  return {
    /** What was gathered, empty while the turn goes on; null after the last. Throws what the source threw. */
    take(): readonly string[] | null {
      if (ended === null && characters < BATCH_CHARACTERS && !isTurnOver) return [];
      const taken = batch;
      if (taken.length === 0 && ended !== null) return ending(ended);
      batch = [];
      characters = 0;
      isTurnOver = false;
      rest.begin();
      if (!isAsking) ask();
      return taken;
    },
    ready: () => new Promise<void>((resolve) => (wake = resolve)),
    wake: () => wake(),
  };
}

function ending(how: { readonly error?: unknown }): null {
  if ("error" in how) throw how.error;
  return null;
}

/** A pause of so many milliseconds, which may be none. */
function pause(ms: number, onOver: () => void) {
  let isOn = false;
  return {
    get isOn() {
      return isOn;
    },
    begin(): void {
      if (ms === 0 || isOn) return;
      isOn = true;
      setTimeout(() => {
        isOn = false;
        onOver();
      }, ms);
    },
  };
}

const LF = 10;
const CR = 13;

/** Follows a stream of server-sent events, so that it can be ended between two of them. */
export class EventStream {
  /** Told to go: ends at the next end of an event. */
  isTold: boolean;
  readonly #isEncoded: boolean;
  #tail: readonly number[] = [LF, LF];

  constructor(isEncoded: boolean, { isTold }: { readonly isTold: boolean }) {
    this.#isEncoded = isEncoded;
    this.isTold = isTold;
  }

  get isBetweenEvents(): boolean {
    return this.#isEncoded || endsEvent(this.#tail);
  }

  /** Takes note of a chunk. When told to go, answers how many of its bytes still belong to whole events, or -1 for all and go on. */
  advance(chunk: Buffer): number {
    if (this.isTold) {
      const end = lastEventEnd(chunk);
      if (end !== -1) return end;
    }
    this.#tail = [...this.#tail, ...chunk.subarray(-4)].slice(-4);
    return this.isTold && this.isBetweenEvents ? chunk.length : -1;
  }
}

function endsEvent(tail: readonly number[]): boolean {
  const [a, b, c, d] = [tail.at(-4), tail.at(-3), tail.at(-2), tail.at(-1)];
  return (c === LF && d === LF) || (c === CR && d === CR) || (a === CR && b === LF && c === CR && d === LF);
}

function lastEventEnd(chunk: Buffer): number {
  const ends = [
    { at: chunk.lastIndexOf("\n\n"), length: 2 },
    { at: chunk.lastIndexOf("\r\n\r\n"), length: 4 },
  ];
  return Math.max(...ends.map(({ at, length }) => (at === -1 ? -1 : at + length)));
}

/** Follows the frames of a WebSocket in one direction (RFC 6455, 5.2), so that one of our own can be put between two of them. */
export class FrameTracker {
  #header: number[] = [];
  #payloadLeft = 0;

  get isBetweenFrames(): boolean {
    return this.#payloadLeft === 0 && this.#header.length === 0;
  }

  /** Takes note of a chunk. With `stop`, answers how many of its bytes still belong to a begun frame; else its length. */
  advance(chunk: Buffer, stop: boolean): number {
    let at = 0;
    while (at < chunk.length) {
      if (stop && this.isBetweenFrames) return at;
      if (this.#payloadLeft > 0) {
        const step = Math.min(this.#payloadLeft, chunk.length - at);
        this.#payloadLeft -= step;
        at += step;
        continue;
      }
      this.#header.push(chunk[at] as number);
      at += 1;
      if (this.#header.length === headerLength(this.#header)) {
        this.#payloadLeft = payloadLength(this.#header);
        this.#header = [];
      }
    }
    return at;
  }
}

/** The close frame of a server that is going away (code 1001). */
export const GOING_AWAY = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

function headerLength(header: readonly number[]): number {
  const second = header[1];
  if (second === undefined) return 2;
  const length = second & 0x7f;
  const extended = length === 126 ? 2 : length === 127 ? 8 : 0;
  return 2 + extended + (second & 0x80 ? 4 : 0);
}

function payloadLength(header: readonly number[]): number {
  const length = (header[1] as number) & 0x7f;
  if (length < 126) return length;
  const bytes = header.slice(2, length === 126 ? 4 : 10);
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

import type { Digest } from "@helixstack/sdk";
import { EngineError } from "../../domain/errors.ts";

/** The media type of many contents in one body. */
export const BLOBS_TYPE = "application/vnd.helix.blobs";

/** One content of a body: its bytes have to be read to the end before the next is asked for. */
export interface Frame {
  readonly digest: Digest;
  readonly size: number;
  readonly content: AsyncIterable<Buffer>;
}

const LONGEST_HEADER = 200;
const HEADER = /^(sha256:[0-9a-f]{64}) ([0-9]{1,15})$/;

/**
 * Reads a body of contents: for each a line `sha256:<hex> <size>` and then so many bytes. Nothing but the current chunk is held in memory. Rejects with
 * `USAGE` for a line that is none, and when the body ends early.
 */
export async function* readFrames(body: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  const reader = new ChunkReader(body);
  for (;;) {
    const line = await reader.line();
    if (line === null) return;
    const match = HEADER.exec(line);
    if (!match) throw broken(`the line ${JSON.stringify(line.slice(0, 100))} is not a digest and a size`);
    const size = Number(match[2]);
    let isRead = false;
    const content = async function* () {
      yield* reader.bytes(size);
      isRead = true;
    };
    yield { digest: match[1] as Digest, size, content: content() };
    if (!isRead) throw broken("a content was not read to its end");
  }
}

/** Hands out a stream of chunks as lines and counted bytes. */
class ChunkReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(body: AsyncIterable<Buffer>) {
    this.#chunks = body[Symbol.asyncIterator]();
  }

  /** The next line without its end; null at the end of the body. */
  async line(): Promise<string | null> {
    let line = "";
    while (this.#rest.length > 0 || (await this.#fill())) {
      const end = this.#rest.indexOf("\n");
      line += this.#take(end < 0 ? this.#rest.length : end).toString("latin1");
      if (line.length > LONGEST_HEADER) throw broken("a line is too long to be a digest and a size");
      if (end < 0) continue;
      this.#take(1);
      return line;
    }
    if (line === "") return null;
    throw broken("the body ends in the middle of a line");
  }

  async *bytes(count: number): AsyncGenerator<Buffer> {
    let left = count;
    while (left > 0) {
      if (this.#rest.length === 0 && !(await this.#fill())) throw broken("the body ends in the middle of a content");
      const chunk = this.#take(Math.min(left, this.#rest.length));
      left -= chunk.length;
      yield chunk;
    }
  }

  #take(count: number): Buffer {
    const taken = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    return taken;
  }

  async #fill(): Promise<boolean> {
    const { value, done } = await this.#chunks.next();
    this.#rest = done ? Buffer.alloc(0) : value;
    return !done;
  }
}

function broken(message: string): EngineError {
  return new EngineError("USAGE", message, { hint: `See ${BLOBS_TYPE} in the API's description.` });
}

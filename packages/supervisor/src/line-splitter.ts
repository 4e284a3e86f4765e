import { StringDecoder } from "node:string_decoder";
import type { RedactingStream } from "@helixstack/sdk/redact";

// Longer lines are cut, so that no single line can fill the memory of a reader.
const MAX_LINE = 64 * 1024;

/** Turns chunks of bytes into lines. Keeps the unfinished end until its newline comes or `flush` is called. */
export class LineSplitter {
  readonly #decoder = new StringDecoder("utf8");
  readonly #mask: RedactingStream;
  #rest = "";

  constructor(mask: RedactingStream) {
    this.#mask = mask;
  }

  /** The lines that this chunk completes. */
  push(chunk: Buffer): string[] {
    return this.#cut(this.#rest + this.#mask.push(this.#decoder.write(chunk)));
  }

  /** What has come of a line that does not end, as a line; half a secret stays until its end is known. */
  settle(): string[] {
    return this.#all(this.#mask.settle());
  }

  /** What is left, as a line. */
  flush(): string[] {
    return this.#all(this.#mask.push(this.#decoder.end()) + this.#mask.flush());
  }

  #all(text: string): string[] {
    const lines = this.#cut(this.#rest + text);
    if (this.#rest !== "") lines.push(this.#rest);
    this.#rest = "";
    return lines;
  }

  /** Whether an unfinished line waits. */
  get isPending(): boolean {
    return this.#rest !== "" || this.#mask.isHolding;
  }

  #cut(text: string): string[] {
    const lines: string[] = [];
    const pieces = text.split("\n");
    this.#rest = pieces.pop() ?? "";
    for (const piece of pieces) lines.push(...chop(piece.endsWith("\r") ? piece.slice(0, -1) : piece));
    while (this.#rest.length >= MAX_LINE) {
      lines.push(this.#rest.slice(0, MAX_LINE));
      this.#rest = this.#rest.slice(MAX_LINE);
    }
    return lines;
  }
}

function chop(line: string): string[] {
  if (line.length <= MAX_LINE) return [line];
  const parts: string[] = [];
  for (let at = 0; at < line.length; at += MAX_LINE) parts.push(line.slice(at, at + MAX_LINE));
  return parts;
}

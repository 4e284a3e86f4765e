import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { stripVTControlCharacters } from "node:util";

/** Longer lines are cut into pieces, so that output without line ends cannot fill the memory. */
const MAX_LINE = 16_384;

/** Calls `take` with each line of a stream, without colours; of a line that was drawn over, what stood last. Resolves at its end. */
export function readLines(stream: Readable, take: (line: string) => void): Promise<void> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  stream.on("data", (chunk: Buffer) => {
    const pieces = (rest + decoder.write(chunk)).split("\n");
    rest = pieces.pop()!;
    for (const piece of pieces) take(clean(piece));
    for (; rest.length > MAX_LINE; rest = rest.slice(MAX_LINE)) take(clean(rest.slice(0, MAX_LINE)));
  });
  return new Promise((resolve) => {
    // A stream that breaks ends like one that closes; how the program ended is known elsewhere.
    stream.on("error", () => {});
    stream.once("close", () => {
      rest += decoder.end();
      if (rest !== "") take(clean(rest));
      resolve();
    });
  });
}

function clean(line: string): string {
  const drawn = stripVTControlCharacters(line).replace(/\r+$/, "");
  return drawn.slice(drawn.lastIndexOf("\r") + 1);
}

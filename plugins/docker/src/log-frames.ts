/** One line as the engine tells it. */
export interface RawLine {
  /** RFC 3339 with nine digits of a second, so that stamps compare as text. */
  readonly stamp: string;
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}

/**
 * Takes the engine's stream of frames apart (a head of eight bytes: stream, three zeros, length) into lines. Frames may be cut anywhere by
 * the transport, and a line may span frames; with timestamps each line begins with its own stamp.
 */
export async function* demultiplex(chunks: AsyncIterable<Buffer> | Iterable<Buffer>, { stamped = true } = {}): AsyncGenerator<RawLine> {
  const parse = stamped ? parseStamped : (text: string, stream: RawLine["stream"]): RawLine => ({ stamp: "", stream, text });
  let rest: Buffer = Buffer.alloc(0);
  const open = { stdout: "", stderr: "" };
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 8) {
      const length = rest.readUInt32BE(4);
      if (rest.length < 8 + length) break;
      const stream = rest[0] === 2 ? "stderr" : "stdout";
      const text = open[stream] + rest.toString("utf8", 8, 8 + length);
      rest = rest.subarray(8 + length);
      const lines = text.split("\n");
      open[stream] = lines.pop() ?? "";
      for (const line of lines) yield parse(line, stream);
    }
  }
  for (const stream of ["stdout", "stderr"] as const) if (open[stream] !== "") yield parse(open[stream], stream);
}

function parseStamped(line: string, stream: RawLine["stream"]): RawLine {
  const space = line.indexOf(" ");
  const stamp = line.slice(0, space).replace("Z", "").padEnd(29, "0");
  return {
    stamp: `${stamp.includes(".") ? stamp : `${stamp.slice(0, 19)}.000000000`}Z`,
    stream,
    text: line.slice(space + 1).replace(/\r$/, ""),
  };
}

/** One line as the engine tells it. */
export interface RawLine {
  /** RFC 3339 with nine digits of a second, so that stamps compare as text. */
  readonly stamp: string;
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}

const HEAD = 8;

/**
 * Takes the engine's stream of frames apart (a head of eight bytes: stream, three zeros, length) into lines. Frames may be cut anywhere by
 * the transport, and a line may span frames; with timestamps each line begins with its own stamp. Gives the lines of a chunk together.
 */
export async function* demultiplex(
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
  { stamped = true } = {},
): AsyncGenerator<readonly RawLine[]> {
  const parse = stamped ? parseStamped : (text: string, stream: RawLine["stream"]): RawLine => ({ stamp: "", stream, text });
  let rest: Buffer = Buffer.alloc(0);
  const open = { stdout: "", stderr: "" };
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const found: RawLine[] = [];
    let at = 0;
    for (let end = frameEnd(bytes, at); end <= bytes.length; end = frameEnd(bytes, at)) {
      const stream = bytes[at] === 2 ? "stderr" : "stdout";
      const lines = (open[stream] + bytes.toString("utf8", at + HEAD, end)).split("\n");
      open[stream] = lines.pop() ?? "";
      for (const line of lines) found.push(parse(line, stream));
      at = end;
    }
    rest = bytes.subarray(at);
    if (found.length > 0) yield found;
  }
  for (const stream of ["stdout", "stderr"] as const) if (open[stream] !== "") yield [parse(open[stream], stream)];
}

/** Where the frame at `at` ends; Infinity while its head is not whole. */
function frameEnd(bytes: Buffer, at: number): number {
  return bytes.length < at + HEAD ? Infinity : at + HEAD + bytes.readUInt32BE(at + 4);
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

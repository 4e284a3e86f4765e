import { MAX_MESSAGE_BYTES } from "./protocol.ts";

/** What came over the pipe is not a message. The connection cannot be trusted any further. */
export class BrokenFrame extends Error {
  override readonly name = "BrokenFrame";
}

/** One message as a line, or null when it is longer than {@link MAX_MESSAGE_BYTES}. */
export function encodeFrame(message: unknown): string | null {
  return frameOf(JSON.stringify(message));
}

/** The same of a message that is JSON already. */
export function frameOf(json: string): string | null {
  const line = `${json}\n`;
  return line.length > MAX_MESSAGE_BYTES || Buffer.byteLength(line) > MAX_MESSAGE_BYTES ? null : line;
}

/**
 * Cuts bytes into messages. Feed it chunks; it gives back the whole messages they complete. Throws {@link BrokenFrame} for a line that is
 * not a JSON object, or that is too long (at once, not when it ends).
 */
export function frameReader(): (chunk: Buffer) => readonly Record<string, unknown>[] {
  let parts: Buffer[] = [];
  let size = 0;
  return (chunk) => {
    const messages: Record<string, unknown>[] = [];
    let from = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      const last = chunk.subarray(from, end);
      messages.push(parse((parts.length === 0 ? last : Buffer.concat([...parts, last])).toString("utf8")));
      parts = [];
      size = 0;
      from = end + 1;
    }
    const rest = chunk.subarray(from);
    size += rest.length;
    if (size > MAX_MESSAGE_BYTES) throw new BrokenFrame(`a message is longer than ${MAX_MESSAGE_BYTES} bytes`);
    if (rest.length > 0) parts.push(rest);
    return messages;
  };
}

function parse(line: string): Record<string, unknown> {
  const value = attempt(line);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new BrokenFrame(`a message is not a JSON object: ${JSON.stringify(line.slice(0, 80))}`);
}

function attempt(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

import { open, type FileHandle } from "node:fs/promises";
import type { StoredLine } from "../../ports/stores.ts";
import { hasCode } from "../files.ts";

/** A line, and the place in the file behind it. */
export type PlacedLine = StoredLine & { readonly cursor: number };

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** All whole lines behind a place. None for a file that is not there. */
export async function* readForward(path: string, after: number): AsyncGenerator<PlacedLine> {
  const file = await openIfThere(path);
  if (file === null) return;
  try {
    let rest: Buffer = Buffer.alloc(0);
    let place = after;
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, place + rest.length);
      if (bytesRead === 0) return;
      rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
      for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
        place += end + 1;
        const line = parse(rest.subarray(0, end));
        rest = rest.subarray(end + 1);
        if (line !== null) yield { ...line, cursor: place };
      }
    }
  } finally {
    await file.close();
  }
}

/** The last `count` whole lines, read from the end. */
export async function readLast(path: string, count: number): Promise<readonly StoredLine[]> {
  const file = await openIfThere(path);
  if (file === null) return [];
  try {
    let place = (await file.stat()).size;
    let rest: Buffer = Buffer.alloc(0);
    let lines: StoredLine[] = [];
    while (place > 0 && lines.length < count) {
      const length = Math.min(CHUNK_BYTES, place);
      place -= length;
      const { buffer } = await file.read(Buffer.alloc(length), 0, length, place);
      rest = Buffer.concat([buffer, rest]);
      // What stands before the first line break may go on in the chunk before.
      const begin = place === 0 ? 0 : rest.indexOf(NEWLINE) + 1;
      if (begin === 0 && place > 0) continue;
      lines = [...parseAll(rest.subarray(begin)), ...lines];
      rest = rest.subarray(0, begin);
    }
    return lines.slice(Math.max(0, lines.length - count));
  } finally {
    await file.close();
  }
}

/** The whole lines of a piece that begins with one. */
function parseAll(piece: Buffer): StoredLine[] {
  const end = piece.lastIndexOf(NEWLINE);
  if (end < 0) return [];
  const texts = piece.subarray(0, end).toString("utf8").split("\n");
  return texts.map((text) => parse(Buffer.from(text))).filter((line) => line !== null);
}

/** Null for a line that a kill tore. */
function parse(bytes: Buffer): StoredLine | null {
  try {
    const { at, level, step, text } = JSON.parse(bytes.toString("utf8")) as StoredLine;
    return typeof text === "string" ? { at, level, step, text } : null;
  } catch {
    return null;
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, "r");
  } catch (thrown) {
    if (hasCode(thrown, "ENOENT")) return null;
    throw thrown;
  }
}

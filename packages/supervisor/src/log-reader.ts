import { closeSync, fstatSync, openSync, statSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { cursorOf, firstCursor, readAt, seek, seekTail, segments } from "./log-files.ts";

const CHUNK = 64 * 1024;

export interface ReadOptions {
  /** Only records with a greater cursor; null from the start. */
  readonly after: number | null;
  /** Only the last records; null for all. */
  readonly tail: number | null;
  /** Resolves when there may be more, or null when no more is wanted. Absent: end at the last record. */
  readonly more?: () => Promise<boolean>;
}

interface Position {
  readonly file: number;
  offset: number;
}

/**
 * Yields the raw records of a log in order, a batch at a time. Survives rotation: what was rotated away before it was read is skipped.
 * Reads only when asked, so that a slow reader costs nothing.
 */
export async function* readLog(path: string, options: ReadOptions): AsyncGenerator<string[]> {
  let last = options.after ?? 0;
  let position = start(path, options);
  let rest = Buffer.alloc(0);
  try {
    for (;;) {
      const bytes = position === null ? rest : readAt(position.file, position.offset, CHUNK);
      if (position !== null && bytes.length > 0) {
        position.offset += bytes.length;
        const { records, remainder } = split(Buffer.concat([rest, bytes]));
        rest = remainder;
        const fresh = records.filter((record) => cursorOf(record) > last);
        if (fresh.length > 0) {
          last = cursorOf(fresh.at(-1)!);
          yield fresh;
        }
        await setImmediate();
        continue;
      }
      const next = following(path, position);
      if (next !== null) {
        if (position !== null) closeSync(position.file);
        position = next;
        rest = Buffer.alloc(0);
        continue;
      }
      if (!(await options.more?.())) return;
    }
  } finally {
    if (position !== null) closeSync(position.file);
  }
}

function start(path: string, options: ReadOptions): Position | null {
  const files = segments(path);
  if (files.length === 0) return null;
  if (options.tail !== null) return startTail(files, options.tail);
  const after = options.after;
  if (after === null) return open(files[0]!, 0);
  const file = files.findLast((candidate) => firstCursor(candidate) <= after) ?? files[0]!;
  return open(file, seek(file, after));
}

function startTail(files: readonly string[], count: number): Position {
  let missing = count;
  for (const file of files.toReversed()) {
    const { offset, found } = seekTail(file, missing);
    missing -= found;
    if (missing <= 0 || file === files[0]) return open(file, offset);
  }
  return open(files.at(-1)!, 0);
}

/** The file after the one that was read to its end; null when there is none yet. */
function following(path: string, position: Position | null): Position | null {
  const files = segments(path);
  if (files.length === 0) return null;
  if (position === null) return open(files[0]!, 0);
  const inode = fstatSync(position.file).ino;
  const at = files.findIndex((file) => statSync(file).ino === inode);
  const next = files[at + 1];
  return next === undefined ? null : open(next, 0);
}

function open(path: string, offset: number): Position {
  return { file: openSync(path, "r"), offset };
}

function split(bytes: Buffer): { records: string[]; remainder: Buffer<ArrayBuffer> } {
  const end = bytes.lastIndexOf(0x0a);
  if (end < 0) return { records: [], remainder: Buffer.from(bytes) };
  return { records: bytes.toString("utf8", 0, end).split("\n"), remainder: Buffer.from(bytes.subarray(end + 1)) };
}

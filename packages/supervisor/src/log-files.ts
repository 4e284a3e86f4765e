import { closeSync, fstatSync, openSync, readSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

const CHUNK = 64 * 1024;
// A line of 64 Ki characters can grow sixfold when JSON escapes them.
const LONGEST_RECORD = 6 * CHUNK + 256;

/** The files of one log that exist, oldest first: `<path>.2`, `<path>.1`, `<path>`. */
export function segments(path: string): string[] {
  const base = basename(path);
  const numbers = entries(dirname(path))
    .filter((name) => name.startsWith(`${base}.`) && /^\d+$/.test(name.slice(base.length + 1)))
    .map((name) => Number(name.slice(base.length + 1)))
    .sort((a, b) => b - a);
  const older = numbers.map((number) => `${path}.${number}`);
  return entries(dirname(path)).includes(base) ? [...older, path] : older;
}

/** Removes a log with all its files. */
export function removeLog(path: string): void {
  for (const file of segments(path)) rmSync(file, { force: true });
}

/** The cursor of a record; 0 for a line that is none. */
export function cursorOf(record: string): number {
  return Number(/^\{"c":(\d+),/.exec(record.slice(0, 32))?.[1] ?? 0);
}

/** The end of the last whole record of a file and its cursor: what a writer continues from. */
export function lastRecord(path: string): { readonly end: number; readonly cursor: number } {
  return withFile(path, (file, size) => {
    const from = Math.max(0, size - 2 * LONGEST_RECORD);
    const bytes = readAt(file, from, size - from);
    const end = bytes.lastIndexOf(0x0a);
    if (end < 0) return { end: from === 0 ? 0 : size, cursor: 0 };
    const start = bytes.lastIndexOf(0x0a, end - 1) + 1;
    return { end: from + end + 1, cursor: cursorOf(bytes.toString("utf8", start, end)) };
  });
}

/** The cursor of a file's first record; Infinity for an empty file. */
export function firstCursor(path: string): number {
  return withFile(path, (file, size) => (size === 0 ? Infinity : cursorOf(readAt(file, 0, 64).toString("latin1"))));
}

/** An offset at or before the first record whose cursor is above `after`. The line that begins before it may be cut. */
export function seek(path: string, after: number): number {
  return withFile(path, (file, size) => {
    let low = 0;
    let high = size;
    while (high - low > CHUNK) {
      const middle = Math.floor((low + high) / 2);
      const bytes = readAt(file, middle, LONGEST_RECORD);
      const start = bytes.indexOf(0x0a) + 1;
      if (start === 0 || start >= bytes.length) break;
      if (cursorOf(bytes.toString("latin1", start, start + 32)) <= after) low = middle;
      else high = middle;
    }
    return low;
  });
}

/** The offset from which a file has its last `count` records, or how many it has when they are fewer. */
export function seekTail(path: string, count: number): { readonly offset: number; readonly found: number } {
  return withFile(path, (file, size) => {
    let found = 0;
    for (let end = size; end > 0; end -= CHUNK) {
      const from = Math.max(0, end - CHUNK);
      const bytes = readAt(file, from, end - from);
      for (let at = bytes.lastIndexOf(0x0a); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(0x0a, at - 1)) {
        if (found === count) return { offset: from + at + 1, found };
        found += 1;
      }
    }
    return { offset: 0, found };
  });
}

/** Up to `length` bytes from `offset`. */
export function readAt(file: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
}

function withFile<T>(path: string, use: (file: number, size: number) => T): T {
  const file = openSync(path, "r");
  try {
    return use(file, fstatSync(file).size);
  } finally {
    closeSync(file);
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The log file of a unit. */
export function logPath(folder: string, name: string): string {
  return join(folder, `${name}.jsonl`);
}

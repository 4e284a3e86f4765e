import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../../domain/errors.ts";
import type { LogStore, StoredLine } from "../../ports/stores.ts";
import { toDiskError } from "../files.ts";
import { follow } from "./log-follow.ts";
import { readForward, readLast } from "./log-lines.ts";

export interface LogStoreOptions {
  /** The store's own folder. */
  readonly root: string;
  /** A stream takes no more lines once it is larger. Default 64 MiB. */
  readonly maxStreamBytes?: number;
}

const DEFAULT_MAX_BYTES = 64 * 1024 ** 2;
const LONGEST_TEXT = 64 * 1024;
const NEWLINE = 0x0a;
const FULL = "[the log is full; what follows is not kept]";

/**
 * Keeps each stream in a file, one JSON line a line. A cursor is the place in the file behind its line. A line that a kill tore is closed by the
 * next `append` and passed over by readers.
 */
export async function openFileLogStore({ root, maxStreamBytes = DEFAULT_MAX_BYTES }: LogStoreOptions): Promise<LogStore> {
  await mkdir(root, { recursive: true });
  const pathOf = (stream: string) => join(root, `${fileName(stream)}.jsonl`);
  const writing = new Map<string, Promise<void>>();

  return {
    append(stream, lines) {
      if (lines.length === 0) return Promise.resolve();
      const path = pathOf(stream);
      const before = writing.get(path) ?? Promise.resolve();
      const mine = before.catch(() => {}).then(() => append(path, { lines, maxStreamBytes }));
      writing.set(path, mine);
      const forget = () => void (writing.get(path) === mine && writing.delete(path));
      mine.then(forget, forget);
      return mine;
    },

    read(stream, { after, follow: follows, signal }) {
      const path = pathOf(stream);
      return follows ? follow(path, signal === undefined ? { after } : { after, signal }) : readForward(path, after);
    },

    tail: (stream, count) => readLast(pathOf(stream), count),

    async remove(stream) {
      await rm(pathOf(stream), { force: true });
    },
  };
}

async function append(path: string, { lines, maxStreamBytes }: { lines: readonly StoredLine[]; maxStreamBytes: number }): Promise<void> {
  try {
    const file = await open(path, "a+", 0o640);
    try {
      const { size } = await file.stat();
      if (size >= maxStreamBytes) return;
      const last = size === 0 ? NEWLINE : (await file.read(Buffer.alloc(1), 0, 1, size - 1)).buffer[0];
      const text = fit(lines, maxStreamBytes - size);
      // One write: readers and other writers see all of it or, after a kill, a torn last line.
      await file.appendFile(last === NEWLINE ? text : `\n${text}`);
    } finally {
      await file.close();
    }
  } catch (thrown) {
    throw toDiskError(thrown, path);
  }
}

/** The text of as many lines as there is room for, the last of them over the edge, and then a line that says so. */
function fit(lines: readonly StoredLine[], room: number): string {
  let text = "";
  let bytes = 0;
  for (const line of lines) {
    const next = toLine(line);
    text += next;
    bytes += Buffer.byteLength(next);
    if (bytes >= room) return text + toLine({ at: line.at, level: "warn", step: null, text: FULL });
  }
  return text;
}

function toLine({ at, level, step, text }: StoredLine): string {
  const short = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)} [cut]` : text;
  return `${JSON.stringify({ at, level, step, text: short })}\n`;
}

/** Streams are named by the engine (`deployment:dep_...`); what else comes must not become a path. */
function fileName(stream: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9:_.-]{0,150}$/.test(stream)) return stream.replaceAll(":", "+");
  throw new EngineError("BUG", `${JSON.stringify(stream)} is not the name of a log stream`);
}

import { watch, type FSWatcher } from "node:fs";
import { stat } from "node:fs/promises";
import { readForward, type PlacedLine } from "./log-lines.ts";

/** The system may have no watches left, and none at all on some file systems: what it does not tell is seen after this. */
const POLL_MS = 500;

/** All lines behind a place, and those that come, until the signal fires. */
export async function* follow(
  path: string,
  options: { readonly after: number; readonly signal?: AbortSignal },
): AsyncGenerator<PlacedLine> {
  const { signal } = options;
  const bell = newBell(path, signal);
  try {
    let place = options.after;
    while (!signal?.aborted) {
      bell.arm();
      for await (const line of readForward(path, place)) {
        place = line.cursor;
        yield line;
        if (signal?.aborted) return;
      }
      await bell.rung();
    }
  } finally {
    bell.close();
  }
}

interface Bell {
  /** From now on, changes count for the next {@link Bell.rung}. */
  arm(): void;
  rung(): Promise<void>;
  close(): void;
}

/** Rings when the file changes, every now and then without reason, and when the signal fires. */
function newBell(path: string, signal: AbortSignal | undefined): Bell {
  let hasRung = false;
  let isClosed = false;
  let wake: (() => void) | null = null;
  let watcher: FSWatcher | null = null;
  const ring = () => {
    hasRung = true;
    wake?.();
  };
  const poll = setInterval(() => {
    if (watcher === null) void watchFile();
    ring();
  }, POLL_MS);
  const watchFile = async () => {
    const isThere = (await stat(path).catch(() => null)) !== null;
    if (!isThere || isClosed || watcher !== null) return;
    try {
      watcher = watch(path, { persistent: false }, ring);
      watcher.on("error", () => {});
    } catch {
      // The poll goes on alone.
    }
    ring();
  };
  void watchFile();
  signal?.addEventListener("abort", ring);
  return {
    arm() {
      hasRung = false;
    },
    async rung() {
      if (!hasRung) await new Promise<void>((resolve) => (wake = resolve));
      wake = null;
    },
    close() {
      isClosed = true;
      clearInterval(poll);
      watcher?.close();
      signal?.removeEventListener("abort", ring);
    },
  };
}

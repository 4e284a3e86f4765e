import { stat, utimes } from "node:fs/promises";
import type { PruneOptions } from "../../ports/stores.ts";

const HOUR_MS = 3_600_000;

/** When something was last written, or freshened, if that is at least so long ago; null if not, and where nothing is. Milliseconds since 1970. */
async function writtenBefore(path: string, ms: number): Promise<number | null> {
  const found = await stat(path).catch(() => null);
  return found !== null && Date.now() - found.mtimeMs >= ms ? found.mtimeMs : null;
}

/** Whether a prune with these options may take it, as far as its age goes. */
export async function mayBePruned(path: string, { olderThanMs, except = null }: PruneOptions): Promise<boolean> {
  const written = await writtenBefore(path, olderThanMs);
  if (written === null) return false;
  return except === null || written < except.from || written > except.to;
}

/** Notes that somebody counts on it, to the hour. What has gone meanwhile is left to whoever needs it to find out. */
export async function freshen(path: string): Promise<void> {
  if ((await writtenBefore(path, HOUR_MS)) === null) return;
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
}

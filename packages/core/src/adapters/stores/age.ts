import { stat, utimes } from "node:fs/promises";
import type { PruneOptions } from "../../ports/stores.ts";

const HOUR_MS = 3_600_000;

/** Whether something is there that was last written, or freshened, longer ago than this. */
async function isOlder(path: string, ms: number): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found !== null && Date.now() - found.mtimeMs >= ms;
}

/** Whether a prune with these options may take it, as far as its age goes. */
export async function mayBePruned(path: string, { olderThanMs, except = null }: PruneOptions): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (found === null || Date.now() - found.mtimeMs < olderThanMs) return false;
  return except === null || found.mtimeMs < except.from || found.mtimeMs > except.to;
}

/** Notes that somebody counts on it, to the hour. What has gone meanwhile is left to whoever needs it to find out. */
export async function freshen(path: string): Promise<void> {
  if (!(await isOlder(path, HOUR_MS))) return;
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
}

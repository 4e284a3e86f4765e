import { stat, utimes } from "node:fs/promises";

const HOUR_MS = 3_600_000;

/** Whether something is there that was last written, or freshened, longer ago than this. */
export async function isOlder(path: string, ms: number): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found !== null && Date.now() - found.mtimeMs >= ms;
}

/** Notes that somebody counts on it, to the hour. What has gone meanwhile is left to whoever needs it to find out. */
export async function freshen(path: string): Promise<void> {
  if (!(await isOlder(path, HOUR_MS))) return;
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
}

import { readFileSync } from "node:fs";

/** How soon a change of the file is seen, milliseconds. */
const LOOK_MS = 50;

/**
 * Moves this process's wall clock by the milliseconds that stand in a file; none where it is not there. What counts monotonic time notices nothing, as when
 * somebody sets a machine's clock.
 */
export function moveClock(file: string): void {
  const real = Date;
  let by = 0;
  const look = () => (by = read(file));
  look();
  setInterval(look, LOOK_MS).unref();
  globalThis.Date = new Proxy(real, {
    construct: (target, given: [], as) => Reflect.construct(target, given.length === 0 ? [real.now() + by] : given, as) as Date,
    get: (target, name) => (name === "now" ? () => real.now() + by : (Reflect.get(target, name) as unknown)),
  });
}

function read(file: string): number {
  try {
    return Number(readFileSync(file, "utf8")) || 0;
  } catch {
    return 0;
  }
}

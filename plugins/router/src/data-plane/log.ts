type Fields = Readonly<Record<string, unknown>>;

const LINES_PER_SECOND = 50;
let second = 0;
let lines = 0;

/** One JSON line on stdout, which the supervisor keeps. Bounded: a target that is down must not fill the disk. */
export function log(level: "info" | "warn" | "error", message: string, fields: Fields = {}): void {
  const now = Date.now();
  const current = Math.floor(now / 1000);
  if (current !== second) {
    second = current;
    lines = 0;
  }
  if (++lines > LINES_PER_SECOND) return;
  process.stdout.write(`${JSON.stringify({ at: new Date(now).toISOString(), level, message, ...fields })}\n`);
}

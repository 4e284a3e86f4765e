import { closeSync, openSync, readFileSync, readSync, readdirSync } from "node:fs";

/** One process for good: a pid alone may be used again. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since boot, as a decimal string. */
  readonly startTicks: string;
}

/** What `/proc/<pid>/stat` says of one process. */
export interface ProcessStat extends ProcessIdentity {
  /** One letter: `R` running, `S` sleeping, `T` stopped, `Z` zombie. */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Processor time of the process and of its reaped children, clock ticks. */
  readonly cpuTicks: number;
}

// The kernel fixes this figure for user space on all platforms that Node runs on.
const TICKS_PER_SECOND = 100;

/** Names the process that has this pid now; null when none has, or it is a zombie. */
export function processIdentity(pid: number): ProcessIdentity | null {
  const stat = readStat(pid);
  return stat === null || isDead(stat) ? null : { pid, startTicks: stat.startTicks };
}

/** Whether this very process still runs. A zombie is dead; a stopped one is alive. */
export function isAlive(identity: ProcessIdentity): boolean {
  const stat = readStat(identity.pid);
  return stat !== null && stat.startTicks === identity.startTicks && !isDead(stat);
}

/** Whether this very process is stopped (SIGSTOP) and so executes nothing. */
export function isStopped(identity: ProcessIdentity): boolean {
  const stat = readStat(identity.pid);
  return stat !== null && stat.startTicks === identity.startTicks && (stat.state === "T" || stat.state === "t");
}

/** Changes with every start of the machine: process identities hold within one boot only. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** Reads one process; null when there is none. */
export function readStat(pid: number): ProcessStat | null {
  const text = readShort(`/proc/${pid}/stat`);
  if (text === null) return null;
  // The name stands in parentheses and may hold anything, so fields count from the last one.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const number = (at: number): number => Number(fields[at - 3]);
  return {
    pid,
    state: fields[0] ?? "X",
    parent: number(4),
    group: number(5),
    session: number(6),
    cpuTicks: number(14) + number(15) + number(16) + number(17),
    startTicks: fields[22 - 3] ?? "",
  };
}

const SHORT = Buffer.alloc(2048);

/** The text of a file of one short line; null where there is none. Every process of the machine is read so at once: whole files cost twice as much. */
function readShort(path: string): string | null {
  let file: number | null = null;
  try {
    file = openSync(path, "r");
    return SHORT.toString("latin1", 0, readSync(file, SHORT, 0, SHORT.length, 0));
  } catch {
    return null;
  } finally {
    if (file !== null) closeSync(file);
  }
}

/** All pids of this machine. */
export function allPids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** The processes that this one has started and that live; none when it is gone. */
export function childrenOf(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "latin1").split(" ").filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

/** The value of one environment variable as the process was started with it; null when unset or not readable. */
export function startedWith(pid: number, variable: string): string | null {
  try {
    const environ = `\0${readFileSync(`/proc/${pid}/environ`, "utf8")}`;
    const at = environ.indexOf(`\0${variable}=`);
    if (at < 0) return null;
    const from = at + variable.length + 2;
    const to = environ.indexOf("\0", from);
    return environ.slice(from, to < 0 ? undefined : to);
  } catch {
    return null;
  }
}

/** Resident memory of one process in bytes; 0 when it is gone. */
export function rssOf(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Proportional and resident memory of one process in bytes; null when not readable. */
export function memoryOf(pid: number): { readonly rssBytes: number; readonly pssBytes: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
    const kib = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
    return { rssBytes: kib("Rss") * 1024, pssBytes: kib("Pss") * 1024 };
  } catch {
    return null;
  }
}

/** Processor time in seconds. */
export function cpuSeconds(stat: ProcessStat): number {
  return stat.cpuTicks / TICKS_PER_SECOND;
}

function isDead(stat: ProcessStat): boolean {
  return stat.state === "Z" || stat.state === "X" || stat.state === "x";
}

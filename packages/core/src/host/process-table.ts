import { existsSync, readFileSync, readdirSync } from "node:fs";

/** A process, named for good: the start time tells it from a later one with the same pid. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** Clock ticks since boot. */
  readonly startTicks: string;
}

/** The process of this pid, or null when there is none. A zombie counts as gone. Reads `/proc`. */
export function findProcess(pid: number): ProcessEntry | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name in parentheses may hold spaces and parentheses itself; the fields that follow do not.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z") return null;
    return { pid, parent: Number(fields[1]), startTicks: fields[19] ?? "" };
  } catch {
    return null;
  }
}

/** All that descends from `pid`, nearest first. */
function descendantsOf(pid: number): readonly ProcessEntry[] {
  const all = listProcesses();
  const found: ProcessEntry[] = [];
  for (let parents = new Set([pid]); parents.size > 0;) {
    const children = all.filter((entry) => parents.has(entry.parent));
    found.push(...children);
    parents = new Set(children.map((entry) => entry.pid));
  }
  return found;
}

/** Kills all that descends from `pid`, also what put itself into a group or session of its own. */
export function endDescendants(pid: number): void {
  endUntilNone(() => descendantsOf(pid));
}

/** Kills every process that inherited this environment entry (`NAME=value`): finds what a dead parent left behind. */
export function endMarked(marker: string): void {
  endUntilNone(() => listProcesses().filter(({ pid }) => environmentOf(pid).includes(marker)));
}

/** Kills a process if it is still the one that was meant. */
export function endProcess({ pid, startTicks }: Pick<ProcessEntry, "pid" | "startTicks">): void {
  if (findProcess(pid)?.startTicks !== startTicks) return;
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended in between.
  }
}

/** A process may start another while the list is worked off; a few rounds catch up with it. */
function endUntilNone(list: () => readonly ProcessEntry[]): void {
  for (let round = 0; round < 5; round++) {
    const found = list();
    if (found.length === 0) return;
    for (const entry of found) endProcess(entry);
  }
}

function listProcesses(): readonly ProcessEntry[] {
  // Systems without `/proc` have no list: there, the process group has to do.
  if (!existsSync("/proc/self")) return [];
  const pids = readdirSync("/proc").map(Number).filter(Number.isInteger);
  return pids.map(findProcess).filter((entry) => entry !== null);
}

function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    // Another user's, or gone: not one of ours either way.
    return [];
  }
}

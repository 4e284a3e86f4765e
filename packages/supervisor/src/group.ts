import { existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import {
  allPids,
  type ProcessIdentity,
  type ProcessStat,
  childrenOf,
  cpuSeconds,
  isAlive,
  memoryOf,
  readStat,
  rssOf,
  startedWith,
} from "./proc.ts";
import type { Usage } from "./unit.ts";

/** The variable that marks every process of a unit. */
export const MARKER = "HELIX_UNIT";

const SWEEP_ROUNDS = 50;
const SWEEP_PAUSE_MS = 10;

/** Sends a signal to the process group of this very leader. Whether anybody got it. */
export function signalGroup(leader: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(leader)) return false;
  return send(-leader.pid, signal);
}

/** Sends a signal to this very process. */
export function signalProcess(target: ProcessIdentity, signal: NodeJS.Signals): boolean {
  return isAlive(target) && send(target.pid, signal);
}

/** A process that carries a unit's marker. */
export interface Marked extends ProcessIdentity {
  readonly marker: Marker;
}

/** What the marker says: which record of which unit it was started for, and the how-many-eth start of that record. */
export interface Marker {
  readonly name: string;
  readonly nonce: string;
  readonly start: number;
}

/** The value of {@link MARKER}. */
export function markerText(marker: Marker): string {
  return `${marker.name}:${marker.nonce}:${marker.start}`;
}

/** All live processes that carry a marker, in one pass over `/proc`. */
export function allMarked(): Marked[] {
  const found: Marked[] = [];
  for (const pid of allPids()) {
    const [name, nonce, start] = startedWith(pid, MARKER)?.split(":") ?? [];
    if (name === undefined || nonce === undefined || start === undefined) continue;
    const stat = readStat(pid);
    if (stat !== null && isAlive(stat)) found.push({ pid, startTicks: stat.startTicks, marker: { name, nonce, start: Number(start) } });
  }
  return found;
}

/** The process that a supervisor itself started, among all of one start: the oldest that leads a session. */
export function mainOf(processes: readonly ProcessIdentity[]): ProcessIdentity | null {
  const leaders = processes.filter(({ pid }) => readStat(pid)?.session === pid);
  leaders.sort((a, b) => Number(a.startTicks) - Number(b.startTicks) || a.pid - b.pid);
  return leaders[0] ?? null;
}

/**
 * Kills whatever is left of a unit's record: what carries its marker, wherever it went, and what is in the session of its former
 * leader, until nothing is found any more. Returns how many there were.
 */
export async function sweep(record: Omit<Marker, "start">, leader: ProcessIdentity | null): Promise<number> {
  const killed = new Set<number>();
  for (let round = 0; round < SWEEP_ROUNDS; round++) {
    const ours = allMarked().filter(({ marker }) => marker.name === record.name && marker.nonce === record.nonce);
    const rest = [...ours, ...(leader === null ? [] : sessionOf(leader))];
    if (rest.length === 0) break;
    for (const process of rest) if (signalProcess(process, "SIGKILL")) killed.add(process.pid);
    await setTimeout(SWEEP_PAUSE_MS);
  }
  return killed.size;
}

/** The live members of the session that this process leads or led. */
export function sessionOf(leader: ProcessIdentity): ProcessIdentity[] {
  const current = readStat(leader.pid);
  // A pid is not given away while a session has it as its id: another start time means that the session is gone.
  if (current !== null && current.startTicks !== leader.startTicks) return [];
  const members = allPids().map(readStat);
  return members.filter((stat) => stat !== null && stat.session === leader.pid && isAlive(stat)).map((stat) => stat!);
}

/** What the members of a session use together. */
interface SessionUsage extends Usage {
  /** Memory with shared pages counted in parts; null where it was not asked for or cannot be read. */
  readonly pssBytes: number | null;
}

/** What the members of these sessions use together, by session. One pass over `/proc`. */
export function usageOf(sessions: ReadonlySet<number>, options: { readonly withPss: boolean }): Map<number, SessionUsage> {
  const usage = new Map<number, SessionUsage>();
  if (sessions.size === 0) return usage;
  for (const pid of allPids()) {
    const stat = readStat(pid);
    if (stat === null || !sessions.has(stat.session)) continue;
    const memory = options.withPss ? memoryOf(pid) : null;
    const sum = usage.get(stat.session) ?? { rssBytes: 0, pssBytes: 0, cpuSeconds: 0, processes: 0 };
    usage.set(stat.session, {
      rssBytes: sum.rssBytes + (memory?.rssBytes ?? rssOf(pid)),
      pssBytes: memory === null || sum.pssBytes === null ? null : sum.pssBytes + memory.pssBytes,
      cpuSeconds: sum.cpuSeconds + cpuSeconds(stat),
      processes: sum.processes + 1,
    });
  }
  return usage;
}

/**
 * What a process and its descendants use; null when it is gone. Its cost does not depend on what else runs on the machine, and unlike {@link usageOf} it does
 * not see members of the session that were given another parent.
 */
export function familyUsage(leader: number): Usage | null {
  if (!KNOWS_CHILDREN) return usageOf(new Set([leader]), { withPss: false }).get(leader) ?? null;
  const family = withDescendants(leader).flatMap((pid) => readStat(pid) ?? []);
  if (family.length === 0) return null;
  const sum = (of: (stat: ProcessStat) => number) => family.reduce((total, stat) => total + of(stat), 0);
  return { rssBytes: sum(({ pid }) => rssOf(pid)), cpuSeconds: sum(cpuSeconds), processes: family.length };
}

/** A kernel may be built without it. */
const KNOWS_CHILDREN = existsSync(`/proc/self/task/${process.pid}/children`);

function withDescendants(pid: number): readonly number[] {
  return [pid, ...childrenOf(pid).flatMap(withDescendants)];
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

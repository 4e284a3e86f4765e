import type { Result } from "../support/result.ts";
import { backupAndRestore } from "./backup.ts";
import { frozenWorker } from "./frozen-worker.ts";
import { killAnywhere } from "./kill-anywhere.ts";
import { hostOutlives, killProcesses } from "./kill-processes.ts";
import { manyAtOnce } from "./pressure.ts";
import { queueLost } from "./queue-lost.ts";
import { clockMoved, connectionsGone, descriptorsGone, diskFull, slowDatabase } from "../support/pressures.ts";
import { soak } from "./soak.ts";
import { stopAnywhere } from "./stops.ts";
import { quarantine, twentyKills } from "./twenty-kills.ts";
import { underPressure } from "./under-pressure.ts";

export interface Asked {
  readonly seed: number;
  /** Bounds the number of trials, where there are many. */
  readonly most: number;
  /** How long a soak lasts, and what kills workers anywhere at most. */
  readonly minutes: number;
  /** Told of each trial. */
  readonly note: (line: string) => void;
}

export interface Experiment {
  /** The number of the promise that it shows, and a letter where there are several. */
  readonly id: string;
  readonly name: string;
  /** The whole of it. */
  readonly full: (asked: Asked) => Promise<Result>;
}

export const EXPERIMENTS: readonly Experiment[] = [
  {
    id: "1.a",
    name: "kill anywhere, embedded",
    full: ({ most, minutes, note }) => killAnywhere({ most, minutes, queue: "postgres", mode: "embedded", onTrial: note }),
  },
  {
    id: "1.b",
    name: "kill anywhere, on a server",
    full: ({ most, minutes, note }) => killAnywhere({ most, minutes, queue: "redis", mode: "server", onTrial: note }),
  },
  {
    id: "2.a",
    name: "other processes killed",
    full: ({ seed, most, note }) => killProcesses({ queue: "postgres", mode: "embedded", kills: Math.min(most, 10), seed, onTrial: note }),
  },
  { id: "2.b", name: "a plugin host that outlives its worker", full: () => hostOutlives({ queue: "redis", mode: "server" }) },
  {
    id: "3.a",
    name: "twenty kills of one run",
    full: () => twentyKills({ queue: "postgres", mode: "embedded", kills: 20 }),
  },
  { id: "3.b", name: "quarantine", full: () => quarantine({ queue: "redis", mode: "server" }) },
  {
    id: "4",
    name: "frozen worker",
    full: ({ seed, most, note }) =>
      frozenWorker({ queue: "redis", trials: Math.min(most, 100), seed, runtimes: ["process", "docker"], onTrial: note }),
  },
  { id: "5.a", name: "queue lost, PostgreSQL", full: () => queueLost({ queue: "postgres", mode: "embedded", runs: 20 }) },
  { id: "5.b", name: "queue lost, Redis", full: () => queueLost({ queue: "redis", mode: "server", runs: 20 }) },
  {
    id: "6.a",
    name: "many deployments at once",
    full: ({ most }) => manyAtOnce({ queue: "postgres", mode: "embedded", projects: Math.min(most, 50), each: 4 }),
  },
  ...[diskFull, descriptorsGone, connectionsGone, () => clockMoved(1), () => clockMoved(-1), slowDatabase].map((pressure, at) => ({
    id: `6.b.${at + 1}`,
    name: pressure().name,
    full: () => underPressure(pressure()),
  })),
  {
    id: "7.a",
    name: "cancel anywhere",
    full: ({ most, note }) => stopAnywhere({ queue: "postgres", mode: "embedded", cause: "cancel", most, onTrial: note }),
  },
  {
    id: "7.b",
    name: "deadline anywhere",
    full: ({ most, note }) => stopAnywhere({ queue: "postgres", mode: "embedded", cause: "deadline", most, onTrial: note }),
  },
  {
    id: "8",
    name: "soak",
    full: ({ seed, minutes, note }) => soak({ queue: "postgres", mode: "embedded", seed, minutes, projects: 10, onAction: note }),
  },
  { id: "10", name: "backup and restore", full: () => backupAndRestore({ queue: "postgres", mode: "embedded" }) },
];

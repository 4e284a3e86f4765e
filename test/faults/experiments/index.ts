import type { Result } from "../support/result.ts";
import { frozenWorker } from "./frozen-worker.ts";
import { killAnywhere } from "./kill-anywhere.ts";
import { quarantine, twentyKills } from "./twenty-kills.ts";

export interface Asked {
  readonly seed: number;
  /** Bounds the number of trials, where there are many. */
  readonly most: number;
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
    full: ({ most, note }) => killAnywhere({ most, queue: "postgres", mode: "embedded", onTrial: note }),
  },
  {
    id: "1.b",
    name: "kill anywhere, on a server",
    full: ({ most, note }) => killAnywhere({ most, queue: "redis", mode: "server", onTrial: note }),
  },
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
];

import { afterAll, describe, expect, test } from "vitest";
import { hasRedis } from "../../packages/core/test/support/redis.ts";
import { backupAndRestore } from "./experiments/backup.ts";
import { frozenWorker } from "./experiments/frozen-worker.ts";
import { killAnywhere } from "./experiments/kill-anywhere.ts";
import { hostOutlives, killProcesses } from "./experiments/kill-processes.ts";
import { queueLost } from "./experiments/queue-lost.ts";
import { stopAnywhere } from "./experiments/stops.ts";
import { twentyKills } from "./experiments/twenty-kills.ts";
import type { Result } from "./support/result.ts";
import { removeRigs } from "./support/rig.ts";

// Short versions of `npm run faults`: a few boundaries each, so that a change that breaks a promise is seen the same day.

afterAll(() => removeRigs());

const embedded = { queue: "postgres", mode: "embedded" } as const;
const server = { queue: "redis", mode: "server" } as const;

const SHORT: Readonly<Record<string, () => Promise<Result>>> = {
  "a killed worker, embedded": () => killAnywhere({ ...embedded, kinds: ["hand-over", "failing"], most: 8 }),
  "processes killed": () => killProcesses({ ...embedded, kills: 1, seed: 1 }),
  cancelled: () => stopAnywhere({ ...embedded, cause: "cancel", most: 4 }),
  "backup and restore": () => backupAndRestore(embedded),
};

const SHORT_REDIS: Readonly<Record<string, () => Promise<Result>>> = {
  "a killed worker, on a server": () => killAnywhere({ ...server, kinds: ["switch"], most: 8 }),
  "one run killed again and again": () => twentyKills({ ...server, kills: 5 }),
  "a host that outlives its worker": () => hostOutlives(server),
  "frozen workers": () => frozenWorker({ queue: "redis", trials: 2, seed: 1 }),
  "a lost queue": () => queueLost({ ...server, runs: 6 }),
};

describe("nothing is lost", () => {
  test.each(Object.keys(SHORT))("%s", async (name) => {
    expect((await SHORT[name]!()).failures).toEqual([]);
  });
});

describe.skipIf(!hasRedis())("nothing is lost, on Redis", () => {
  test.each(Object.keys(SHORT_REDIS))("%s", async (name) => {
    expect((await SHORT_REDIS[name]!()).failures).toEqual([]);
  });
});

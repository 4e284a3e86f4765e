import { afterAll, describe, expect, test } from "vitest";
import { hasRedis } from "../../packages/core/test/support/redis.ts";
import { killAnywhere } from "./experiments/kill-anywhere.ts";
import { queueLost } from "./experiments/queue-lost.ts";
import { soak } from "./experiments/soak.ts";
import { stopAnywhere } from "./experiments/stops.ts";
import { quarantine } from "./experiments/twenty-kills.ts";
import type { Result } from "./support/result.ts";
import { removeRigs } from "./support/rig.ts";

// A short form of `npm run faults`, in a few minutes: a change that breaks a promise is seen the same day. The whole has a command of its own.

afterAll(() => removeRigs());

const embedded = { queue: "postgres", mode: "embedded" } as const;
const server = { queue: "redis", mode: "server" } as const;

const SHORT: Readonly<Record<string, () => Promise<Result>>> = {
  "a killed worker, embedded": () => killAnywhere({ ...embedded, kinds: ["hand-over", "failing"], most: 4 }),
  cancelled: () => stopAnywhere({ ...embedded, cause: "cancel", most: 3 }),
  soak: () => soak({ ...embedded, seed: 7, minutes: 0.4, projects: 3 }),
};

const SHORT_REDIS: Readonly<Record<string, () => Promise<Result>>> = {
  "a killed worker, on a server": () => killAnywhere({ ...server, kinds: ["switch"], most: 3 }),
  quarantine: () => quarantine(server),
  "a lost queue": () => queueLost({ ...server, runs: 4 }),
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

import { expect, test } from "vitest";
import { READING_VERBS, callBoundary, commitBoundary } from "../../src/engine/boundaries.ts";
import { ANSWERS } from "../../src/host/contract-schemas.ts";
import { interceptPort } from "../../src/main/faults/intercept.ts";
import type { Queue } from "../../src/ports/index.ts";

test("a verb that the table calls a reader is one of the contract; every other is a boundary", () => {
  const verbs = Object.entries(ANSWERS).flatMap(([plane, own]) => Object.keys(own).map((verb) => `${plane}.${verb}`));
  expect([...READING_VERBS].filter((verb) => !verbs.includes(verb))).toEqual([]);
  expect(callBoundary({ plane: "runtime", verb: "observe" })).toBeNull();
  expect(callBoundary({ plane: "runtime", verb: "somethingNew" })).toBe("call runtime.somethingNew");
});

test("a commit is named by what it writes, each once", () => {
  const end = { write: "step.end", step: "undo:apply:web", state: "done" } as const;
  expect(commitBoundary([end, end, { write: "deployment.end", state: "failed", cleanupAt: null }])).toBe(
    "commit step.end undo:apply done, deployment.end failed",
  );
});

test("an effect is told before, inside and after; what only reads is not", async () => {
  const told: string[] = [];
  const queue = { backend: "redis", depth: async () => 1, wake: async () => void told.push("it happens") } as unknown as Queue;
  const point = {
    cross: async ({ moment, boundary, subject }: { moment: string; boundary: string; subject: string | null }) =>
      void told.push(`${moment} ${boundary} ${subject}`),
  };
  const watched = interceptPort(queue, { road: "queue", point });
  await watched.wake({ organization: "org", run: "run_1" });
  expect(await watched.depth()).toBe(1);
  expect(told).toEqual(["before queue.wake run_1", "it happens", "inside queue.wake run_1", "after queue.wake run_1"]);
});

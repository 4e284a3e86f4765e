import { expect, test } from "vitest";
import { incidents } from "../../src/api/incidents.ts";
import type { EventRecord } from "../../src/ports/index.ts";

const event = (seq: number, type: string, data: Record<string, unknown>): EventRecord =>
  ({ stream: "plane", seq, type, data, at: `2026-01-01T00:00:0${seq}.000Z` }) as EventRecord;
const lost = (seq: number, run: string, step: string | null = "apply:web") =>
  event(seq, "run.lost", { run, deployment: `dep_${run}`, kind: "main", worker: "wrk_a", step, crashes: 1, reason: "gone" });

test("each death is told with who took over, run by run", () => {
  const told = incidents([
    lost(1, "x"),
    lost(2, "y", null),
    event(3, "run.resumed", { run: "y", worker: "wrk_c" }),
    event(4, "run.resumed", { run: "x", worker: "wrk_b" }),
    lost(5, "x"),
  ]);
  expect(told).toMatchObject([
    { deployment: "dep_x", worker: "wrk_a", step: "apply:web", takenOverBy: "wrk_b", takenOverAt: "2026-01-01T00:00:04.000Z" },
    { deployment: "dep_y", step: null, takenOverBy: "wrk_c" },
    { deployment: "dep_x", takenOverBy: null, takenOverAt: null, isQuarantined: false },
  ]);
});

test("the death before a second one was not survived, and the last may quarantine the run", () => {
  const told = incidents([lost(1, "x"), lost(2, "x"), event(3, "run.quarantined", { run: "x" })]);
  expect(told.map(({ takenOverBy, isQuarantined }) => [takenOverBy, isQuarantined])).toEqual([
    [null, false],
    [null, true],
  ]);
});

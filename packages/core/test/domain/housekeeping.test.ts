import { expect, test } from "vitest";
import { housekeeping, type LeavingRevision } from "../../src/domain/housekeeping.ts";

const NOW = 1_000_000;
const made = (id: string, state: LeavingRevision["state"], changes: Partial<LeavingRevision> = {}): LeavingRevision => {
  return { id, service: "web", state, createdAt: 1, retireAt: state === "warm" ? NOW + 500 : null, canFreeze: true, ...changes };
};
const keep = (revisions: LeavingRevision[], count = 1, isBusy = false) => housekeeping(revisions, { now: NOW, keep: count, isBusy });

test("the revision that just left stays warm, the older one goes", () => {
  const result = keep([made("old", "warm", { createdAt: 9 }), made("new", "draining", { createdAt: 5 })]);
  expect(result).toEqual({ freeze: ["new"], drain: [], retire: ["old"], wakeAt: null });
});

test("each service keeps its own", () => {
  const result = keep([made("a", "warm", { retireAt: NOW + 9 }), made("b", "draining", { service: "api" })]);
  expect(result).toMatchObject({ freeze: ["b"], retire: [], wakeAt: NOW + 9 });
});

test("what cannot be frozen, or need not be kept, is drained and removed", () => {
  expect(keep([made("a", "draining", { canFreeze: false })])).toMatchObject({ drain: ["a"], freeze: [] });
  expect(keep([made("a", "draining")], 0)).toMatchObject({ drain: ["a"], freeze: [] });
  expect(keep([made("a", "draining", { canFreeze: false }), made("b", "warm")])).toMatchObject({
    drain: ["a"],
    retire: [],
    wakeAt: NOW + 500,
  });
});

test("warm revisions leave when their time is over", () => {
  expect(keep([made("a", "warm", { retireAt: NOW })])).toMatchObject({ retire: ["a"], wakeAt: null });
});

test("a freeze that was interrupted is finished", () => {
  expect(keep([made("a", "warm", { retireAt: null })])).toMatchObject({ freeze: ["a"], wakeAt: null });
});

test("what a dead attempt left is removed, what a running one makes is not", () => {
  expect(keep([made("a", "starting"), made("b", "retiring")])).toMatchObject({ retire: ["a", "b"] });
  expect(keep([made("a", "starting"), made("b", "retiring")], 1, true)).toMatchObject({ retire: ["b"] });
});

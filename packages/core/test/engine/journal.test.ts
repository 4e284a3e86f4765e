import { expect, test } from "vitest";
import { EngineError } from "../../src/domain/errors.ts";
import { createJournal } from "../../src/engine/journal.ts";
import type { Grip, LedgerWrite } from "../../src/ports/index.ts";

const grip: Grip = {
  scope: { organization: "org_1", principal: "prn_1" },
  run: "run_1",
  deployment: "dep_1",
  environment: "env_1",
  worker: "wrk_1",
  fence: 1,
};
const step = (id: string) => ({ id, kind: "plan", service: null }) as const;
const decision = { write: "decision.record", decision: { id: "dec_1" } } as unknown as LedgerWrite;
const event = (type: string): LedgerWrite => ({ write: "event", type, data: {} });

/** A ledger that refuses a commit with such a write. */
function journalOn(refuses: (writes: readonly LedgerWrite[]) => Error | null) {
  const commits: string[][] = [];
  const commit = async (_: Grip, writes: readonly LedgerWrite[]) => {
    const refusal = refuses(writes);
    if (refusal) throw refusal;
    commits.push(writes.map((write) => (write.write === "event" ? write.type : write.write)));
  };
  return { journal: createJournal({ commit }, { grip, steps: [] }), commits };
}

test("what may wait is written with what comes next, before it", async () => {
  const { journal, commits } = journalOn(() => null);
  await journal.end(step("plan"), { state: "done", mayWait: true, writes: [decision] });
  expect(commits).toEqual([]);
  expect(journal.entry("plan")!.state).toBe("done");
  await journal.commit([event("next")]);
  expect(commits).toEqual([["step.intend", "step.end", "decision.record", "next"]]);
});

test("what waited is not lost with what came after it, nor taken for it", async () => {
  const conflict = new EngineError("CONFLICT", "somebody else has it", { retryable: false });
  const { journal, commits } = journalOn((writes) => (writes.some((write) => write.write === "event") ? conflict : null));
  await journal.end(step("plan"), { state: "done", mayWait: true, writes: [decision] });
  await expect(journal.commit([event("next")])).rejects.toThrow(conflict);
  expect(commits).toEqual([["step.intend", "step.end", "decision.record"]]);
});

test("a decision that cannot be written down is none, and nothing comes after it", async () => {
  const refusal = new Error("permission denied for table decision");
  const { journal, commits } = journalOn((writes) => (writes.includes(decision) ? refusal : null));
  await journal.end(step("plan"), { state: "done", mayWait: true, writes: [decision] });
  await expect(journal.commit([event("next")])).rejects.toMatchObject({
    code: "POLICY_UNAVAILABLE",
    options: { details: { fault: "decision-log-down" } },
  });
  expect(commits).toEqual([]);
});

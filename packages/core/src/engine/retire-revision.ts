import type { ObservedRevision } from "@helixstack/sdk";
import { EngineError } from "../domain/errors.ts";
import { GRACE_MS } from "../domain/spec.ts";
import type { LedgerWrite, RevisionRecord } from "../ports/index.ts";
import { readPlugin } from "./call.ts";
import type { StepRef } from "./journal.ts";
import { askRevision } from "./revisions.ts";
import { type Run, act } from "./run.ts";

/**
 * Removes a revision from the world. It leaves the ledger only when it was seen to be gone. Throws `CONFLICT` when somebody else took it first.
 */
export async function retireRevision(run: Run, step: StepRef, revision: RevisionRecord): Promise<readonly LedgerWrite[]> {
  const { deps, place } = run;
  const { id, state } = revision;
  const destroy = askRevision(place, revision, { verb: "destroy", input: { graceMs: GRACE_MS } });
  const guard = { write: "revision.update", id, state: "retiring", from: [state] } as const;
  await act(run, step, { ...destroy, extraMs: GRACE_MS, writes: state === "retiring" ? [] : [guard] });
  const left = await readPlugin<ObservedRevision | null>(deps, place, askRevision(place, revision, { verb: "observe" }));
  if (left === null) return [{ write: "revision.update", id, state: "gone", retireAt: null }];
  const message = `revision ${id} of ${revision.service} was destroyed and is still there (${left.phase})`;
  throw new EngineError("INTERNAL", message, { plane: "runtime", plugin: revision.plugin, retryable: true });
}

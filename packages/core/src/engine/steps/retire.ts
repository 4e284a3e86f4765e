import { retireRevision } from "../retire-revision.ts";
import type { StepWork } from "./step.ts";

/** Removes one revision, with everything that it made but volumes. */
export const retireStep: StepWork = async (run, step) => {
  const revision = await run.deps.ledger.revision(run.grip.scope, step.subject!);
  if (!revision || revision.state === "gone" || revision.state === "forgotten") return { state: "skipped" };
  return { writes: await retireRevision(run, step, revision) };
};

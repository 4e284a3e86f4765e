import { EngineError } from "../../domain/errors.ts";
import { drainRevisions } from "../drain-revisions.ts";
import { switchTable } from "../tables.ts";
import type { StepWork } from "./step.ts";

/** Takes every service of the environment out of the table, then lets requests under way finish. */
export const unrouteStep: StepWork = async (run, step) => {
  const { deps, grip, place } = run;
  const writes = await switchTable(run, step, { plugin: step.subject!, kind: "empty" });
  await run.journal.commit(writes);
  const serving = await deps.ledger.listRevisions(grip.scope, { environment: place.environment.id, states: ["serving", "draining"] });
  await drainRevisions(run, step, { revisions: serving, signal: run.signal });
  if (run.signal.aborted) throw new EngineError("ABORTED", "the worker is being stopped");
  return {};
};

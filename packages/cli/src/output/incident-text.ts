import type { DeploymentDetail, IncidentItem } from "@helixstack/core/client";
import { span } from "./time.ts";

/** One death in a sentence: who, where, how it is known, and what came of it. */
export function incidentText({ worker, run, step, reason, takenOverBy, takenOverAt, at, isQuarantined }: IncidentItem): string {
  const where = step === null ? "between two steps" : `at ${step}`;
  const of = run === "main" ? "" : ` of the ${run}`;
  return `${worker} died ${where}${of} (${reason}); ${ending()}`;

  function ending(): string {
    if (isQuarantined) return "the run kills its workers and is quarantined";
    if (takenOverBy === null) return "nobody has taken over yet";
    return `${takenOverBy} took over after ${span(Date.parse(takenOverAt!) - Date.parse(at))}`;
  }
}

/** What of a deployment was taken back, as the ids of its steps; those that failed were left half done and are among them. */
export function undoneSteps({ steps }: Pick<DeploymentDetail, "steps">): readonly string[] {
  return steps.flatMap(({ id, state }) => (id.startsWith("undo:") && state === "done" ? [id.slice("undo:".length)] : []));
}

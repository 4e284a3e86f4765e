import { plainFinding } from "../../domain/finding.ts";
import type { DecisionPoint, Finding } from "../../ports/index.ts";
import { noteAllowed } from "../clearance.ts";
import { askPolicies } from "../decisions.ts";
import type { Run } from "../run.ts";
import type { StepWork } from "./step.ts";

/** Asks the policies. The whole input is stored with the decision, so that it can be asked again. */
export function policyStep(point: DecisionPoint): StepWork {
  return async (run) => {
    const allowed = await askPolicies(run, point);
    if (point === "release") noteAllowed(run, allowed);
    const { id, decision, write } = allowed;
    const outcome = { decision: id, bundle: decision.bundle, findings: decision.findings.map(plainFinding) };
    return { outcome, writes: [write], mayWait: true };
  };
}

/** What the decisions of this deployment said so far. */
export function findingsOf(run: Run): readonly Finding[] {
  const decided = ["policy-plan", "policy-artifact", "policy-release"].map((id) => run.journal.entry(id)?.outcome ?? null);
  const findings = decided.flatMap((outcome) => (outcome?.["findings"] ?? []) as readonly Finding[]);
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}

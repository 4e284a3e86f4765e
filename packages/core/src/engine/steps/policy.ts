import type { Artifact } from "@helixstack/sdk";
import { digestOf } from "../../domain/digest.ts";
import { EngineError } from "../../domain/errors.ts";
import { newId } from "../../domain/ids.ts";
import type { Decision, DecisionPoint, Finding, LedgerWrite } from "../../ports/index.ts";
import { artifactOf } from "../artifacts.ts";
import { policyInput } from "../policy-input.ts";
import { type Run, manifestOf, planOf } from "../run.ts";
import type { StepWork } from "./step.ts";

/** Asks the policies. The whole input is stored with the decision, so that it can be asked again. */
export function policyStep(point: DecisionPoint): StepWork {
  return async (run) => {
    const { deps } = run;
    const artifacts = point === "plan" ? {} : artifactsOf(run);
    const subject = { ...run, manifest: manifestOf(run), plan: planOf(run), artifacts };
    const input = { ...(await policyInput(deps, point, subject)) };
    const decision = await deps.policy.decide(point, input);
    const id = newId("dec", deps.clock.now());
    const write: LedgerWrite = { write: "decision.record", decision: { id, point, input, inputDigest: digestOf(input), decision } };
    if (!decision.allow) {
      await run.journal.commit([write]);
      throw denial(point, decision);
    }
    return { outcome: { decision: id, bundle: decision.bundle, findings: decision.findings }, writes: [write] };
  };
}

/** The refusal as one error; also for a plan that is not carried out. */
export function denial(point: DecisionPoint, { findings }: Decision): EngineError {
  const refusing = findings.filter(({ level }) => level !== "advisory");
  const rules = refusing.map(({ rule, message }) => `${rule}: ${message}`).join("; ");
  return new EngineError("POLICY_DENIED", `the policies refuse this at the ${point} decision: ${rules || "no rule allows it"}`, {
    findings,
  });
}

/** What the decisions of this deployment said so far. */
export function findingsOf(run: Run): { readonly findings: readonly Finding[]; readonly bundle: string } {
  const decided = ["policy-plan", "policy-artifact", "policy-release"].map((id) => run.journal.entry(id)?.outcome ?? null);
  const outcomes = decided.filter((outcome) => outcome !== null);
  const findings = outcomes.flatMap((outcome) => outcome["findings"] as readonly Finding[]);
  const distinct = new Map(findings.map((finding) => [JSON.stringify(finding), finding]));
  const bundle = outcomes.at(-1)?.["bundle"];
  return { findings: [...distinct.values()], bundle: typeof bundle === "string" ? bundle : "" };
}

function artifactsOf(run: Run): Readonly<Record<string, Artifact>> {
  return Object.fromEntries(planOf(run).services.map(({ service }) => [service, artifactOf(run, service)]));
}

import type { Artifact } from "@helixstack/sdk";
import { digestOf } from "../domain/digest.ts";
import { EngineError, toEngineError } from "../domain/errors.ts";
import { plainFinding } from "../domain/finding.ts";
import { newId } from "../domain/ids.ts";
import type { Decision, DecisionPoint } from "../ports/index.ts";
import { artifactOf } from "./artifacts.ts";
import { isNotOurs } from "./attempt.ts";
import { policyInput } from "./policy-input.ts";
import { type Run, manifestOf, planOf } from "./run.ts";

/** A decision that allows, as it stands in the ledger. */
export interface Allowed {
  readonly id: string;
  readonly decision: Decision;
}

/** Asks the policies now, with the time of now. The decision is in the ledger, whole, before anybody acts on it. Rejects with `POLICY_DENIED` or `POLICY_UNAVAILABLE`. */
export async function askPolicies(run: Run, point: DecisionPoint): Promise<Allowed> {
  const { deps } = run;
  const artifacts = point === "plan" ? {} : artifactsOf(run);
  const entries = await entriesOf(run);
  const subject = { ...run, manifest: manifestOf(run), plan: planOf(run), artifacts, entries };
  const input = { ...(await policyInput(deps, point, subject)) };
  const decision = await deps.policy.decide(point, input).catch(async (thrown: unknown) => {
    const error = failClosed(thrown);
    await record(run, { point, input, decision: { allow: false, findings: [], bundle: "none", error: error.toDocument() } });
    throw error;
  });
  const id = await record(run, { point, input, decision });
  if (decision.allow) return { id, decision };
  throw denial(point, decision);
}

/** The refusal as one error; also for a plan that is not carried out. */
export function denial(point: DecisionPoint, { findings }: Decision): EngineError {
  const refusing = findings.filter(({ level, waiver }) => level !== "advisory" && !waiver);
  const rules = [...new Set(refusing.map(({ rule }) => rule))].join(", ");
  return new EngineError("POLICY_DENIED", `the policies refuse this at the ${point} decision: ${rules || "no rule allows it"}`, {
    hint: "Apply the fix of each finding; `helix policy explain` tells more.",
    findings: findings.map(plainFinding),
  });
}

/** Whatever a policy engine fails with, nothing is allowed. */
export function failClosed(thrown: unknown): EngineError {
  const error = toEngineError(thrown);
  if (error.code === "POLICY_UNAVAILABLE" || isNotOurs(error)) return error;
  return new EngineError("POLICY_UNAVAILABLE", `the policies could not be asked: ${error.message}`, { cause: thrown });
}

type Recorded = { readonly point: DecisionPoint; readonly input: Readonly<Record<string, unknown>>; readonly decision: Decision };

/** A decision that cannot be written down is none. */
async function record({ deps, journal }: Run, { point, input, decision }: Recorded): Promise<string> {
  const id = newId("dec", deps.clock.now());
  try {
    await journal.commit([{ write: "decision.record", decision: { id, point, input, inputDigest: digestOf(input), decision } }]);
    return id;
  } catch (thrown) {
    const error = toEngineError(thrown);
    if (isNotOurs(error)) throw error;
    const details = { fault: "decision-log-down" };
    throw new EngineError("POLICY_UNAVAILABLE", `the decision could not be written down: ${error.message}`, { details, cause: thrown });
  }
}

function artifactsOf(run: Run): Readonly<Record<string, Artifact>> {
  return Object.fromEntries(planOf(run).services.map(({ service }) => [service, artifactOf(run, service)]));
}

/** The source that was, or is being, deployed; nothing where it was pruned. */
async function entriesOf({ deps, deployment, target }: Run) {
  const snapshot = deployment.request.snapshot ?? target?.snapshot ?? null;
  const found = snapshot ? await deps.sources.getSnapshot(snapshot as `sha256:${string}`).catch(() => null) : null;
  return found?.entries ?? [];
}

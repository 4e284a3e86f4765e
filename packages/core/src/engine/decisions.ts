import type { Artifact } from "@helixstack/sdk";
import { digestOf } from "../domain/digest.ts";
import { EngineError, toEngineError } from "../domain/errors.ts";
import { plainFinding } from "../domain/finding.ts";
import { newId } from "../domain/ids.ts";
import type { Decision, DecisionPoint, LedgerWrite } from "../ports/index.ts";
import { artifactOf } from "./artifacts.ts";
import { isNotOurs } from "./attempt.ts";
import { policyInput } from "./policy-input.ts";
import { type Run, manifestOf, planOf } from "./run.ts";

/** A decision that allows. */
export interface Allowed {
  readonly id: string;
  readonly decision: Decision;
  /** Puts it into the ledger, whole: before anybody acts on it. */
  readonly write: LedgerWrite;
}

/** Asks the policies now, with the time of now. A refusal is in the ledger when this rejects, with `POLICY_DENIED` or `POLICY_UNAVAILABLE`. */
export async function askPolicies(run: Run, point: DecisionPoint): Promise<Allowed> {
  const { deps } = run;
  const artifacts = point === "plan" ? {} : artifactsOf(run);
  // Nothing where the source was pruned.
  const [actor, entries] = await Promise.all([run.actor(), run.source().catch(() => null)]);
  const subject = { ...run, manifest: manifestOf(run), plan: planOf(run), artifacts, actor, entries: entries ?? [] };
  const input = { ...(await policyInput(deps, point, subject)) };
  const decision = await deps.policy.decide(point, input).catch(async (thrown: unknown) => {
    const error = failClosed(thrown);
    const refusal = { allow: false, findings: [], bundle: "none", error: error.toDocument() };
    await run.journal.commit([recordOf(run, { point, input, decision: refusal }).write]);
    throw error;
  });
  const recorded = recordOf(run, { point, input, decision });
  if (decision.allow) return { ...recorded, decision };
  await run.journal.commit([recorded.write]);
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

function recordOf({ deps }: Run, { point, input, decision }: Recorded): Pick<Allowed, "id" | "write"> {
  const id = newId("dec", deps.clock.now());
  return { id, write: { write: "decision.record", decision: { id, point, input, inputDigest: digestOf(input), decision } } };
}

function artifactsOf(run: Run): Readonly<Record<string, Artifact>> {
  return Object.fromEntries(planOf(run).services.map(({ service }) => [service, artifactOf(run, service)]));
}

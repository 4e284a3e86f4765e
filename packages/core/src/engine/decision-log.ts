import { EngineError, toEngineError } from "../domain/errors.ts";
import type { LedgerWrite } from "../ports/index.ts";
import { isNotOurs } from "./attempt.ts";

/** Why a commit failed, as the deployment is told: a decision that cannot be written down is none. */
export function withoutDecision(writes: readonly LedgerWrite[], thrown: unknown): unknown {
  const error = toEngineError(thrown);
  if (isNotOurs(error) || error.code === "CONFLICT" || !writes.some(({ write }) => write === "decision.record")) return thrown;
  const details = { fault: "decision-log-down" };
  return new EngineError("POLICY_UNAVAILABLE", `the decision could not be written down: ${error.message}`, { details, cause: thrown });
}

import type { EngineError } from "../domain/errors.ts";
import type { InstalledPlugin } from "../ports/plugins.ts";
import { type CallPlace, callError } from "./call-errors.ts";
import { ANSWERS } from "./contract-schemas.ts";
import { type SchemaCheck, checkOf, closed } from "./schema-check.ts";

/** A plugin's state is kept in the ledger's rows. */
const MAX_STATE_BYTES = 64 * 1024;

/** Holds a plugin's answers against the contract and the plugin's own schemas. Compiled when first needed, once a plugin and verb. */
export interface AnswerChecks {
  /** The error of the first of these answers that the contract does not allow, or null. */
  problem(place: CallPlace, answers: readonly unknown[]): EngineError | null;
}

export function answerChecks({ manifest }: InstalledPlugin): AnswerChecks {
  const checks = new Map<string, SchemaCheck>();
  const checkFor = ({ plane, verb }: CallPlace): SchemaCheck => {
    const key = `${plane}.${verb}`;
    const known = checks.get(key);
    if (known) return known;
    const state = plane === "build" ? undefined : manifest.planes[plane]?.state;
    const check = checkOf(ANSWERS[plane][verb]!(closed(state ?? {})));
    checks.set(key, check);
    return check;
  };
  return {
    problem(place, answers) {
      const check = checkFor(place);
      for (const answer of answers) {
        const problems = [...check(answer), ...stateProblems(answer)];
        if (problems.length === 0) continue;
        return callError("PLUGIN_NONSENSE", place, `gave an answer that its contract does not allow: ${problems.slice(0, 5).join("; ")}`);
      }
      return null;
    },
  };
}

function stateProblems(answer: unknown): readonly string[] {
  if (typeof answer !== "object" || answer === null || !("state" in answer)) return [];
  const bytes = Buffer.byteLength(JSON.stringify(answer.state) ?? "");
  return bytes > MAX_STATE_BYTES ? [`state has ${bytes} bytes, the most is ${MAX_STATE_BYTES}`] : [];
}

import { type EngineError, toEngineError } from "../domain/errors.ts";
import { STEP_RULES } from "../domain/step-machine.ts";
import type { StepRef } from "./journal.ts";
import type { Run } from "./run.ts";

const ATTEMPTS = 3;
/** Milliseconds before the second and the third attempt. */
const BACK_OFF = [200, 1_000] as const;

/** Errors that are not the step's: the run is lost, or the ledger is. Nothing can be written down about them. */
const NOT_OURS = new Set(["STALE_FENCE", "DATABASE_DOWN", "BUSY"]);

export function isNotOurs({ code }: EngineError): boolean {
  return NOT_OURS.has(code);
}

/** Does the work, and does it again when its error says that this may help. Every attempt is journalled. */
export async function withRetries<T>(run: Run, step: StepRef, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (thrown) {
      const error = toEngineError(thrown).at({ step: step.id });
      const attempt = run.journal.entry(step.id)?.attempt ?? 1;
      const isFinal = isNotOurs(error) || !error.retryable || !STEP_RULES[step.kind].isRepeatable || attempt >= ATTEMPTS;
      if (isFinal || run.signal.aborted) throw error;
      await run.journal.retry(step, { plugin: error.options.plugin ?? null, error: error.toDocument() });
      await run.deps.clock.sleep(BACK_OFF[attempt - 1] ?? 1_000, run.signal).catch(() => {});
    }
  }
}

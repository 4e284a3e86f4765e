import type { PlannedStep } from "../../domain/plan.ts";
import type { LedgerWrite } from "../../ports/index.ts";
import type { Run } from "../run.ts";

/** How a step ended well. The runner writes it down, in one transaction. */
export interface StepEnd {
  /** `skipped`: there was nothing to do. Default `done`. */
  readonly state?: "done" | "skipped";
  /** Kept in the journal: what later steps, and people, want to know. */
  readonly outcome?: Readonly<Record<string, unknown>>;
  readonly writes?: readonly LedgerWrite[];
  /**
   * The end is written in the transaction of what comes next. For steps after which a successor may just as well begin anew: nothing was done to
   * the world, or doing it again changes nothing, and no later step of the run reads these writes. Default false.
   */
  readonly mayWait?: boolean;
}

/**
 * Does one step. It must converge: a successor calls it again when this worker dies in the middle. Throws `EngineError`.
 */
export type StepWork = (run: Run, step: PlannedStep) => Promise<StepEnd>;

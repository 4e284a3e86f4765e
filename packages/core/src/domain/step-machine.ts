import type { PlannedStep, StepKind } from "./plan.ts";
import type { StepState } from "./states.ts";

/** What the machine must know of a kind of step. */
interface StepRule {
  /** A worker that dies in the middle leaves the step `intended`: may a successor do it again? */
  readonly isRepeatable: boolean;
  /** Whether it leaves something behind that a failed deployment has to take back. */
  readonly hasUndo: boolean;
  /** From its intent on, requests may go to the new release: neither cancel nor deadline count any more. */
  readonly isSwitch: boolean;
}

const PLAIN: StepRule = { isRepeatable: true, hasUndo: false, isSwitch: false };
const UNDOABLE: StepRule = { ...PLAIN, hasUndo: true };

/** The whole of the pipeline's behaviour that depends on kinds. */
export const STEP_RULES: Readonly<Record<StepKind, StepRule>> = {
  plan: PLAIN,
  "policy-plan": PLAIN,
  build: PLAIN,
  "policy-artifact": PLAIN,
  reserve: UNDOABLE,
  volume: PLAIN,
  hold: UNDOABLE,
  halt: UNDOABLE,
  // What it did to data stays; what is left of its process does not.
  task: { ...UNDOABLE, isRepeatable: false },
  apply: UNDOABLE,
  verify: PLAIN,
  "policy-release": PLAIN,
  route: { ...UNDOABLE, isSwitch: true },
  unroute: { ...PLAIN, isSwitch: true },
  release: PLAIN,
  drain: PLAIN,
  freeze: PLAIN,
  retire: PLAIN,
  erase: PLAIN,
};

/** Why a run stops before its end. */
export type StopCause = "cancel" | "deadline";

/** All that the next decision depends on. Plain values from the ledger. */
export interface RunView {
  readonly steps: readonly PlannedStep[];
  /** The journalled steps, by id; undos stand under {@link undoId}. */
  readonly journal: Readonly<Record<string, StepState>>;
  /** Set once the ledger says `compensating`: there is no way back to the steps. */
  readonly isCompensating: boolean;
  readonly stop: StopCause | null;
}

/** What a worker does next. */
export type Decision =
  /** `isResumed`: another worker wrote the intent and died; the call is repeated with the same operation id. */
  | { readonly do: "step"; readonly step: PlannedStep; readonly isResumed: boolean }
  /** The run cannot go on: write down that it compensates. */
  | { readonly do: "compensate"; readonly step: PlannedStep | null; readonly cause: StopCause | "failed" | "unknown-end" }
  | { readonly do: "undo"; readonly step: PlannedStep; readonly isResumed: boolean }
  /** Everything is taken back, or nothing is left to do. */
  | { readonly do: "end" };

/** Decides. Pure: two workers that read the same ledger decide the same. */
export function decide(view: RunView): Decision {
  return view.isCompensating ? decideUndo(view) : decideStep(view);
}

/** Whether the switch has begun, so that the run goes on to its end. */
export function isCommitted({ steps, journal }: Pick<RunView, "steps" | "journal">): boolean {
  return steps.some(({ id, kind }) => STEP_RULES[kind].isSwitch && journal[id] !== undefined);
}

/** Under which id the taking back of a step is journalled. */
export function undoId(step: string): string {
  return `undo:${step}`;
}

function decideStep(view: RunView): Decision {
  const step = view.steps.find(({ id }) => !isOver(view.journal[id]));
  const failed = view.steps.find(({ id }) => view.journal[id] === "failed");
  if (failed) return { do: "compensate", step: failed, cause: "failed" };
  if (!step) return { do: "end" };
  const isResumed = view.journal[step.id] === "intended";
  if (isResumed && !STEP_RULES[step.kind].isRepeatable) return { do: "compensate", step, cause: "unknown-end" };
  if (view.stop && !isCommitted(view)) return { do: "compensate", step, cause: view.stop };
  return { do: "step", step, isResumed };
}

/** In reverse, everything that was at least intended; a failed undo is left to the cleanup and does not stop the others. */
function decideUndo({ steps, journal }: RunView): Decision {
  const step = steps.toReversed().find(({ id, kind }) => {
    const isTouched = journal[id] !== undefined && journal[id] !== "skipped" && journal[id] !== "undone";
    return STEP_RULES[kind].hasUndo && isTouched && !isOver(journal[undoId(id)]) && journal[undoId(id)] !== "failed";
  });
  return step ? { do: "undo", step, isResumed: journal[undoId(step.id)] === "intended" } : { do: "end" };
}

function isOver(state: StepState | undefined): boolean {
  return state === "done" || state === "skipped" || state === "undone";
}

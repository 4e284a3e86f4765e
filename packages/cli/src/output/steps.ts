/** What is shown of one step. */
export interface StepView {
  readonly id: string;
  /** `build web`, `switch traffic`. */
  readonly title: string;
  readonly plane: string | null;
  readonly state: "running" | "done" | "failed" | "skipped" | "undone";
  /** Milliseconds on the viewer's own clock. */
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** What it is doing just now. */
  readonly note: string | null;
  /** The last lines of its log. */
  readonly lines: readonly string[];
}

/** All steps so far, in the order in which they began. */
export type StepList = readonly StepView[];

/** What can happen to a step. */
export type StepChange =
  | { readonly change: "begin"; readonly id: string; readonly title: string; readonly plane: string | null }
  | { readonly change: "note"; readonly id: string; readonly note: string }
  | { readonly change: "line"; readonly id: string; readonly line: string }
  | { readonly change: "end"; readonly id: string; readonly state: Exclude<StepView["state"], "running">; readonly note: string | null };

const KEPT_LINES = 30;

/** The list after a change. A step that begins again (a retry, a new worker) starts over in its place. */
export function changed(steps: StepList, change: StepChange, now: number): StepList {
  if (change.change === "begin") {
    const step: StepView = {
      id: change.id,
      title: change.title,
      plane: change.plane,
      state: "running",
      startedAt: now,
      endedAt: null,
      note: null,
      lines: [],
    };
    return steps.some((one) => one.id === change.id)
      ? steps.map((one) => (one.id === change.id ? { ...step, startedAt: one.startedAt } : one))
      : [...steps, step];
  }
  return steps.map((one) => (one.id === change.id ? applied(one, change, now) : one));
}

function applied(step: StepView, change: Exclude<StepChange, { change: "begin" }>, now: number): StepView {
  if (change.change === "note") return { ...step, note: change.note };
  if (change.change === "line") return { ...step, lines: [...step.lines, change.line].slice(-KEPT_LINES) };
  return { ...step, state: change.state, endedAt: now, note: change.note };
}

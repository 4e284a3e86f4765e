import { type Colors, planeColor } from "./colors.ts";
import type { StepChange, StepList, StepView } from "./steps.ts";
import { span } from "./time.ts";

/** A step that is over sooner is told of once, at its end. */
export const SLOW_MS = 2000;

/** The line that tells of a step's beginning, once it is known to take long. */
export function beginLine(step: StepView, colors: Colors): string {
  return `${planeColor(colors, step.plane)(step.title)} ...`;
}

/** The line that tells of a change; null for changes that are not worth one (log lines, the same note again, notes of quick steps). */
export function plainLine(
  {
    before,
    after,
    change,
    now,
  }: { readonly before: StepList; readonly after: StepList; readonly change: StepChange; readonly now: number },
  colors: Colors,
): string | null {
  const step = after.find(({ id }) => id === change.id);
  if (!step) return null;
  const title = planeColor(colors, step.plane)(step.title);
  if (change.change === "note") {
    const isNews = before.find(({ id }) => id === change.id)?.note !== change.note;
    return isNews && now - step.startedAt >= SLOW_MS ? `${title}: ${change.note}` : null;
  }
  if (change.change !== "end") return null;
  const word = { done: "done", failed: "failed", skipped: "nothing to do", undone: "undone" }[change.state];
  return `${title} ${word} (${span(step.endedAt! - step.startedAt)})${change.note ? `: ${change.note}` : ""}`;
}

import { type Colors, planeColor } from "./colors.ts";
import type { StepChange, StepList } from "./steps.ts";
import { span } from "./time.ts";

/** The line that tells of a change; null for changes that are not worth one (log lines, the same note again). */
export function plainLine(
  { before, after, change }: { readonly before: StepList; readonly after: StepList; readonly change: StepChange },
  colors: Colors,
): string | null {
  const step = after.find(({ id }) => id === change.id);
  if (!step) return null;
  const title = planeColor(colors, step.plane)(step.title);
  if (change.change === "begin") return `${title} ...`;
  if (change.change === "note") return before.find(({ id }) => id === change.id)?.note === change.note ? null : `${title}: ${change.note}`;
  if (change.change === "line") return null;
  const word = { done: "done", failed: "failed", skipped: "nothing to do", undone: "undone" }[change.state];
  const end = `${title} ${word} (${span(step.endedAt! - step.startedAt)})${change.note ? `: ${change.note}` : ""}`;
  return change.state === "failed" ? [end, ...step.lines.map((line) => `  | ${line}`)].join("\n") : end;
}

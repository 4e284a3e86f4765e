import { stripVTControlCharacters } from "node:util";
import { type Colors, planeColor } from "./colors.ts";
import type { StepList, StepView } from "./steps.ts";
import { span } from "./time.ts";

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** What the list is drawn for. */
export interface Canvas {
  readonly colors: Colors;
  readonly columns: number;
  readonly now: number;
  /** The last picture leaves out the log of what failed: the error that is printed below it has it. */
  readonly isFinal: boolean;
}

/** The lines of a live list. None is wider than the terminal, so that their number is the number of rows. */
export function livePicture(steps: StepList, canvas: Canvas): readonly string[] {
  const width = Math.max(0, ...steps.map(({ title }) => title.length));
  return steps.flatMap((step) => [line(step, { ...canvas, width }), ...(canvas.isFinal ? [] : lastLines(step, canvas))]);
}

interface View extends Canvas {
  readonly width: number;
}

function line(step: StepView, { colors, columns, now, width }: View): string {
  const time = span((step.endedAt ?? now) - step.startedAt);
  const room = columns - width - time.length - 6;
  const doing = step.state === "running" ? (step.lines.at(-1) ?? step.note) : step.note;
  const note = doing && room > 8 ? cut(doing, room) : "";
  const title = planeColor(colors, step.plane)(step.title.padEnd(width));
  return (
    cutTitle(`${mark(step, { colors, now })} ${title} ${colors.dim(time)}`, { columns, plain: width + time.length + 3 }) +
    (note && ` ${colors.dim(note)}`)
  );
}

function mark({ state }: StepView, { colors, now }: Pick<View, "colors" | "now">): string {
  if (state === "done") return colors.green("✓");
  if (state === "failed") return colors.red("✗");
  if (state === "running") return colors.cyan(FRAMES[Math.floor(now / 100) % FRAMES.length]!);
  return colors.dim(state === "skipped" ? "·" : "↶");
}

function lastLines(
  { state, lines }: StepView,
  { colors, columns }: { readonly colors: Colors; readonly columns: number },
): readonly string[] {
  if (state !== "failed") return [];
  return lines.map((text) => `  ${colors.dim("|")} ${cut(text, columns - 5)}`);
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** In a terminal too narrow for the title the colours go first. */
function cutTitle(text: string, { columns, plain }: { readonly columns: number; readonly plain: number }): string {
  return plain < columns ? text : cut(stripVTControlCharacters(text), columns - 1);
}

import type { ErrStream } from "../cli.ts";
import { livePicture } from "./live.ts";
import { SLOW_MS, beginLine, plainLine } from "./plain.ts";
import { type StepChange, type StepList, changed } from "./steps.ts";

/** Progress on stderr: a live list where lines can be drawn over, else one line a change. */
export interface Progress {
  /** Whether lines of steps are shown. */
  readonly hasLines: boolean;
  readonly step: (change: StepChange) => void;
  /** A remark between the steps. */
  readonly say: (text: string) => void;
  /** Leaves the last picture and stops. Safe to call twice. */
  readonly stop: () => void;
}

const REDRAW_MS = 100;

export function createProgress(err: ErrStream): Progress {
  return err.canRedraw ? liveProgress(err) : plainProgress(err);
}

function plainProgress({ colors, write }: ErrStream): Progress {
  let steps: StepList = [];
  const timers = new Map<string, NodeJS.Timeout>();
  const tellLater = (id: string) => {
    const tell = () => {
      const step = steps.find((one) => one.id === id);
      if (step?.state === "running") write(`${beginLine(step, colors)}\n`);
    };
    clearTimeout(timers.get(id));
    timers.set(id, setTimeout(tell, SLOW_MS));
  };
  return {
    hasLines: false,
    step: (change) => {
      const before = steps;
      const now = performance.now();
      steps = changed(steps, change, now);
      if (change.change === "begin") tellLater(change.id);
      const line = plainLine({ before, after: steps, change, now }, colors);
      if (line !== null) write(`${line}\n`);
    },
    say: (text) => write(`${text}\n`),
    stop: () => timers.forEach((timer) => clearTimeout(timer)),
  };
}

/** Draws the list again and again over itself: as much of its end as the terminal has rows for, and all of it at the end. */
function liveProgress(err: ErrStream): Progress {
  let steps: StepList = [];
  let drawn = 0;
  let isStopped = false;
  const clear = () => {
    if (drawn > 0) err.write(`\u001b[${drawn}A\u001b[J`);
    drawn = 0;
  };
  const draw = ({ isFinal = false } = {}) => {
    const picture = livePicture(steps, { colors: err.colors, columns: err.columns(), now: performance.now(), isFinal });
    const lines = isFinal ? picture : picture.slice(-Math.max(1, err.rows() - 2));
    clear();
    err.write(lines.map((line) => `${line}\n`).join(""));
    drawn = lines.length;
  };
  err.write("\u001b[?25l");
  const timer = setInterval(draw, REDRAW_MS);
  const showCursor = () => err.write("\u001b[?25h");
  process.once("exit", showCursor);
  return {
    hasLines: true,
    step: (change) => void (steps = changed(steps, change, performance.now())),
    say: (text) => {
      clear();
      err.write(`${text}\n`);
      draw();
    },
    stop: () => {
      if (isStopped) return;
      isStopped = true;
      clearInterval(timer);
      draw({ isFinal: true });
      showCursor();
      process.removeListener("exit", showCursor);
    },
  };
}

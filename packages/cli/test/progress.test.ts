import picocolors from "picocolors";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createProgress } from "../src/output/progress.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A terminal as far as the list needs one: lines, cursor up, clear to the end. Loses what is scrolled out, as terminals do. */
function screen(rows: number) {
  const lines: string[] = [""];
  let row = 0;
  return {
    lines,
    write(text: string) {
      for (const part of text.replaceAll("\u001b", "%").match(/%\[\??\d*[a-zA-Z]|\n|[^%\n]+/g) ?? []) {
        const up = /^%\[(\d+)A$/.exec(part);
        if (up) row = Math.max(Math.max(0, lines.length - rows), row - Number(up[1]));
        else if (part === "%[J") lines.length = row + 1;
        else if (part === "\n") lines[++row] ??= "";
        else if (!part.startsWith("%")) lines[row] = part;
      }
    },
  };
}

const terminal = (write: (text: string) => void, rows: number) => ({
  colors: picocolors.createColors(false),
  canRedraw: true,
  columns: () => 60,
  rows: () => rows,
  write,
});

it("draws over itself: in the end each step stands once, and the log of a failure is left to the error below", () => {
  const { lines, write } = screen(24);
  const progress = createProgress(terminal(write, 24));
  for (const id of ["build", "start"]) {
    progress.step({ change: "begin", id, title: id, plane: null });
    progress.step({ change: "line", id, line: `log of ${id}` });
    vi.advanceTimersByTime(1000);
  }
  expect(lines.filter((line) => line.includes("build"))).toHaveLength(1);
  progress.step({ change: "end", id: "build", state: "done", note: null });
  progress.step({ change: "end", id: "start", state: "failed", note: "exit 1" });
  progress.say("going back");
  expect(lines.join("\n")).toContain("| log of start");
  progress.stop();
  progress.stop();
  write("error below\n");
  expect(lines.map((line) => line.replace(/\d+\.\d s/, "T"))).toEqual(["going back", "✓ build T", "✗ start T exit 1", "error below", ""]);
});

it("never draws more than the terminal can take back", () => {
  const { lines, write } = screen(8);
  const progress = createProgress(terminal(write, 8));
  for (let i = 0; i < 30; i++) {
    progress.step({ change: "begin", id: `s${i}`, title: `step ${i}`, plane: null });
    vi.advanceTimersByTime(300);
    progress.step({ change: "end", id: `s${i}`, state: "done", note: null });
  }
  vi.advanceTimersByTime(1000);
  expect(lines.length).toBeLessThanOrEqual(8);
  progress.stop();
  expect(lines.filter((line) => line.startsWith("✓ step"))).toHaveLength(30);
});

it("where nothing can be drawn over, says that a step is slow, and nothing of quick ones until they end", () => {
  const { lines, write } = screen(24);
  const progress = createProgress({ ...terminal(write, 24), canRedraw: false });
  progress.step({ change: "begin", id: "a", title: "build", plane: null });
  vi.advanceTimersByTime(1000);
  expect(lines).toEqual([""]);
  vi.advanceTimersByTime(1500);
  expect(lines).toEqual(["build ...", ""]);
  progress.stop();
});

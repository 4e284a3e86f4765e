import { stripVTControlCharacters } from "node:util";
import picocolors from "picocolors";
import { describe, expect, it } from "vitest";
import { canRedraw, colorsFor } from "../src/output/colors.ts";
import { errorText } from "../src/output/error-text.ts";
import { livePicture } from "../src/output/live.ts";
import { beginLine, plainLine } from "../src/output/plain.ts";
import { planText } from "../src/output/plan-text.ts";
import { type StepChange, type StepList, changed } from "../src/output/steps.ts";
import { columns, table } from "../src/output/table.ts";
import { ago, bytes, parseSpan, span } from "../src/output/time.ts";

const none = picocolors.createColors(false);
const colorful = picocolors.createColors(true);

describe("tables", () => {
  it("align by what is seen", () => {
    const rows = [
      [colorful.red("a"), "x"],
      ["long", ""],
    ];
    expect(stripVTControlCharacters(table(["name", "state"], rows))).toBe("NAME  STATE\na     x\nlong");
    expect(table(["name"], [])).toBe("");
    expect(
      columns([
        ["a", "b"],
        ["cc", "d"],
      ]),
    ).toBe("a   b\ncc  d");
  });
});

describe("times and sizes", () => {
  it("are short", () => {
    expect([span(430), span(12_400), span(200_000), span(7_500_000)]).toEqual(["0.4 s", "12 s", "3 min 20 s", "2 h 5 min"]);
    expect([bytes(12), bytes(1234), bytes(2_100_000_000)]).toEqual(["12 B", "1.2 kB", "2.1 GB"]);
    expect(ago("2026-01-01T00:00:00Z", Date.parse("2026-01-01T00:00:04Z"))).toBe("4 s ago");
  });
  it("are read as people write them", () => {
    expect(["90s", "10m", "1h", "500ms", "30", "1.5m", "x", "", "-1s"].map(parseSpan)).toEqual([
      90_000,
      600_000,
      3_600_000,
      500,
      30_000,
      90_000,
      null,
      null,
      null,
    ]);
  });
});

describe("steps", () => {
  const run = (changes: StepChange[]): StepList => changes.reduce<StepList>((steps, change, i) => changed(steps, change, i * 1000), []);
  const begin: StepChange = { change: "begin", id: "build:web", title: "build web", plane: "build" };

  it("keep the order in which they began; one that begins again starts over in its place", () => {
    const steps = run([begin, { ...begin, id: "apply:web", title: "start web" }, { change: "line", id: "build:web", line: "x" }, begin]);
    expect(steps.map(({ id, lines, startedAt }) => [id, lines.length, startedAt])).toEqual([
      ["build:web", 0, 0],
      ["apply:web", 0, 1000],
    ]);
  });

  it("are plain lines where nothing can be drawn over: one a change, quick ones at their end", () => {
    let steps: StepList = [];
    const changes: [at: number, change: StepChange][] = [
      [0, begin],
      [100, { change: "note", id: "build:web", note: "reading" }],
      [3000, { change: "note", id: "build:web", note: "npm ci" }],
      [3100, { change: "note", id: "build:web", note: "npm ci" }],
      [3200, { change: "line", id: "build:web", line: "boom" }],
      [4000, { change: "end", id: "build:web", state: "failed", note: "exit 1" }],
    ];
    const lines = changes.map(([now, change]) => {
      const before = steps;
      steps = changed(steps, change, now);
      return plainLine({ before, after: steps, change, now }, none);
    });
    expect(lines).toEqual([null, null, "build web: npm ci", null, null, "build web failed (4.0 s): exit 1"]);
    expect(beginLine(steps[0]!, none)).toBe("build web ...");
  });

  it("are one row each in a live list, never wider than the terminal, a failure expanded", () => {
    const steps = run([
      begin,
      { change: "note", id: "build:web", note: "a very long note ".repeat(20) },
      { change: "line", id: "build:web", line: "y".repeat(300) },
    ]);
    for (const columnsOf of [20, 40, 80, 200]) {
      const running = livePicture(steps, { colors: none, columns: columnsOf, now: 5000, isFinal: false });
      const failed = livePicture(changed(steps, { change: "end", id: "build:web", state: "failed", note: "exit 1" }, 6000), {
        colors: none,
        columns: columnsOf,
        now: 7000,
        isFinal: false,
      });
      expect(running).toHaveLength(1);
      expect(failed).toHaveLength(2);
      for (const line of [...running, ...failed]) expect(line.length).toBeLessThan(columnsOf);
    }
  });
});

describe("colours and movement", () => {
  const traits = { isTTY: true, noColor: false };
  it("only where a person looks and asked for none of it", () => {
    expect(colorsFor({ ...traits, env: {} }).isColorSupported).toBe(true);
    for (const env of [{ NO_COLOR: "1" }, { TERM: "dumb" }, { CI: "true" }])
      expect(colorsFor({ ...traits, env }).isColorSupported).toBe(false);
    expect(colorsFor({ ...traits, isTTY: false, env: {} }).isColorSupported).toBe(false);
    expect(colorsFor({ ...traits, noColor: true, env: {} }).isColorSupported).toBe(false);
    expect([{}, { CI: "1" }, { TERM: "dumb" }, { CI: "false" }].map((env) => canRedraw({ ...traits, env }))).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });
});

describe("a plan", () => {
  it("shows signs, from and to, and a sum", () => {
    const text = planText(
      {
        changes: [
          { service: "web", action: "replace", path: "source", from: "aaa", to: "bbb" },
          { service: "web", action: "update", path: "replicas", from: 1, to: 2 },
          { service: "old", action: "delete", path: "", from: null, to: null },
          { service: "new", action: "create", path: "env.A", from: null, to: "x" },
        ],
      },
      none,
    );
    expect(text).toBe(
      "web\n  -/+ source  aaa → bbb\n    ~ replicas  1 → 2\n\nold\n    - delete\n\nnew\n    + env.A  x\n\n1 to create, 1 to update, 1 to replace, 1 to delete.",
    );
    expect(planText({ changes: [] }, none)).toBe("No changes.");
  });

  it("shows each setting of a new service on a line of its own", () => {
    const to = { runtime: "process", "health.timeout": "60s" };
    expect(planText({ changes: [{ service: "web", action: "create", path: "", from: null, to }] }, none)).toBe(
      "web\n    + create\n        health.timeout  60s\n        runtime         process\n\n1 to create.",
    );
  });
});

describe("an error", () => {
  it("says what, where, the last lines, and what to do", () => {
    const text = errorText(
      {
        code: "HEALTH_FAILED",
        message: "web never answered",
        hint: "Listen on PORT.",
        plane: "runtime",
        plugin: "process@0.1.0",
        step: "verify:web",
        logs: ["boom"],
      },
      none,
    );
    expect(text).toBe(
      "error[HEALTH_FAILED]: web never answered\n  where  step verify:web, plane runtime, plugin process@0.1.0\n  last lines\n  | boom\n  help   Listen on PORT.\n",
    );
  });
});

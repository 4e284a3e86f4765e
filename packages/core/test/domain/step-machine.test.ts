import { expect, test } from "vitest";
import { step } from "../../src/domain/plan-steps.ts";
import { decide, isCommitted, STEP_RULES, undoId, type RunView } from "../../src/domain/step-machine.ts";
import type { StepState } from "../../src/domain/states.ts";

const STEPS = [
  step("plan"),
  step("task", "web", "migrate"),
  step("apply", "web"),
  step("verify", "web"),
  step("route", null, "router"),
  step("release"),
];
const [plan, task, apply, verify, route, release] = STEPS.map(({ id }) => id) as [string, string, string, string, string, string];

function view(journal: Record<string, StepState>, changes: Partial<RunView> = {}): RunView {
  return { steps: STEPS, journal, isCompensating: false, stop: null, ...changes };
}

const done = (...ids: string[]): Record<string, StepState> => Object.fromEntries(ids.map((id) => [id, "done"] as const));

test("steps run in order, skipped ones are over", () => {
  expect(decide(view({}))).toMatchObject({ do: "step", step: { id: plan }, isResumed: false });
  expect(decide(view({ [plan]: "done", [task]: "skipped" }))).toMatchObject({ step: { id: apply } });
  expect(decide(view(done(...STEPS.map(({ id }) => id))))).toEqual({ do: "end" });
});

test("a successor repeats what has an unknown end, but no task", () => {
  expect(decide(view({ ...done(plan, task), [apply]: "intended" }))).toMatchObject({ do: "step", step: { id: apply }, isResumed: true });
  expect(decide(view({ ...done(plan), [task]: "intended" }))).toMatchObject({ do: "compensate", cause: "unknown-end", step: { id: task } });
});

test("cancel and deadline count until the switch has begun", () => {
  expect(decide(view(done(plan), { stop: "cancel" }))).toMatchObject({ do: "compensate", cause: "cancel" });
  expect(decide(view(done(plan, task, apply, verify), { stop: "deadline" }))).toMatchObject({ do: "compensate", cause: "deadline" });
  const switching = { ...done(plan, task, apply, verify), [route]: "intended" } as const;
  expect(decide(view(switching, { stop: "cancel" }))).toMatchObject({ do: "step", step: { id: route }, isResumed: true });
  expect(isCommitted(view(switching))).toBe(true);
});

test("what was touched is taken back in reverse; a failed undo does not stop the others", () => {
  const journal = { ...done(plan, task, apply, verify), [route]: "failed" } as const;
  expect(decide(view(journal))).toMatchObject({ do: "compensate", cause: "failed", step: { id: route } });
  const back = (more: Record<string, StepState>) => decide(view({ ...journal, ...more }, { isCompensating: true }));
  expect(back({})).toMatchObject({ do: "undo", step: { id: route }, isResumed: false });
  expect(back({ [undoId(route)]: "intended" })).toMatchObject({ do: "undo", step: { id: route }, isResumed: true });
  expect(back({ [undoId(route)]: "failed" })).toMatchObject({ do: "undo", step: { id: apply } });
  const undone = { [undoId(route)]: "failed", [undoId(apply)]: "done", [apply]: "undone" } as const;
  expect(back(undone)).toMatchObject({ do: "undo", step: { id: task } });
  expect(back({ ...undone, [undoId(task)]: "done", [task]: "undone" })).toEqual({ do: "end" });
});

/** What is explored: the plans that differ in what has to be taken back. */
const PLANS = {
  "a first deploy": STEPS,
  "a hand-over": [
    step("plan"),
    step("hold", null, "router"),
    step("halt", "web"),
    step("task", "web", "migrate"),
    step("apply", "web"),
    step("verify", "web"),
    step("route", null, "router"),
    step("release"),
  ],
  "a destroy": [
    step("plan"),
    step("unroute", null, "router"),
    step("retire", "web", "rev"),
    step("erase", null, "router"),
    step("release"),
  ],
} as const;

/** One state of a small world: two workers, at most two deaths, calls that may fail, somebody who may cancel. */
interface World {
  plan: keyof typeof PLANS;
  journal: Record<string, StepState>;
  state: "running" | "compensating" | "live" | "failed";
  stop: "cancel" | "deadline" | null;
  fence: number;
  /** The fence that each worker believes in, and what it is about to do; null: it is dead or idle. */
  workers: ({ fence: number; doing: string } | null)[];
  /** What is in the world: steps whose effect is there. */
  effects: string[];
  taskRuns: number;
  deaths: number;
}

function copyOf(world: World): World {
  const workers = world.workers.map((worker) => worker && { ...worker });
  return { ...world, journal: { ...world.journal }, workers, effects: [...world.effects] };
}

/** Every world that one action leads to. An action is one commit or one call. */
function successors(world: World): World[] {
  const found: World[] = [];
  const after = (change: (next: World) => void) => {
    const next = copyOf(world);
    change(next);
    found.push(next);
  };
  const isOver = world.state === "live" || world.state === "failed";
  if (isOver) return found;
  if (world.stop === null) {
    after((next) => (next.stop = "cancel"));
    after((next) => (next.stop = "deadline"));
  }
  world.workers.forEach((worker, at) => {
    if (worker === null) {
      const held = world.workers.some((other) => other?.fence === world.fence);
      // A frozen worker keeps believing in its fence; a successor may take the run from it.
      if (!held || world.deaths < 2) {
        after((next) => {
          if (held) next.deaths++;
          next.workers[at] = { fence: ++next.fence, doing: "decide" };
        });
      }
      return;
    }
    if (world.deaths < 2) {
      after((next) => {
        next.deaths++;
        next.workers[at] = null;
      });
    }
    act(world, at, after);
  });
  return found;
}

function act(world: World, at: number, after: (change: (next: World) => void) => void): void {
  const { fence, doing } = world.workers[at]!;
  const isStale = fence !== world.fence;
  const commit = (change: (next: World) => void, doing: string) =>
    after((next) => {
      if (isStale) next.workers[at] = null;
      else {
        change(next);
        next.workers[at] = next.state === "live" || next.state === "failed" ? null : { fence, doing };
      }
    });
  const [what, id = ""] = doing.split(" ");
  if (what === "decide") {
    const decision = decide({
      steps: PLANS[world.plan],
      journal: world.journal,
      isCompensating: world.state === "compensating",
      stop: world.stop,
    });
    if (decision.do === "step") commit((next) => (next.journal[decision.step.id] = "intended"), `call ${decision.step.id}`);
    if (decision.do === "compensate") commit((next) => (next.state = "compensating"), "decide");
    if (decision.do === "undo") commit((next) => (next.journal[undoId(decision.step.id)] = "intended"), `undo ${decision.step.id}`);
    if (decision.do === "end") commit((next) => (next.state = "failed"), "decide");
  }
  // A successor starts only after the plugin hosts of the one before are gone: a stale call reaches nothing.
  if (what === "call" || what === "undo") {
    after((next) => {
      next.workers[at] = isStale ? null : { fence, doing: `${what === "call" ? "end" : "undone"} ${id}` };
      if (isStale) return;
      if (what === "undo") next.effects = next.effects.filter((effect) => effect !== id);
      else if (!next.effects.includes(id)) next.effects.push(id);
      if (what === "call" && id === task) next.taskRuns++;
    });
    if (what === "call" && !isStale && id !== release) {
      after((next) => {
        next.effects.push(id);
        next.workers[at] = { fence, doing: `fail ${id}` };
      });
    }
  }
  if (what === "end") commit((next) => finish(next, id), "decide");
  if (what === "fail") commit((next) => (next.journal[id] = "failed"), "decide");
  if (what === "undone") commit((next) => Object.assign(next.journal, { [id]: "undone", [undoId(id)]: "done" }), "decide");
}

function finish(next: World, id: string): void {
  next.journal[id] = "done";
  if (id === release) next.state = "live";
}

test.each(Object.keys(PLANS) as World["plan"][])(
  "%s: whoever dies, freezes, fails or cancels: one end, nothing left behind, no task twice",
  { timeout: 120_000 },
  (plan) => {
    const first: World = {
      plan,
      journal: {},
      state: "running",
      stop: null,
      fence: 0,
      workers: [null, null],
      effects: [],
      taskRuns: 0,
      deaths: 0,
    };
    const seen = new Set([JSON.stringify(first)]);
    const open = [first];
    const ends = { live: 0, failed: 0 };
    for (let world = open.pop(); world; world = open.pop()) {
      if (world.taskRuns > 1) expect.fail(`a task ran twice: ${JSON.stringify(world)}`);
      const next = successors(world);
      if (world.state === "live" || world.state === "failed") {
        ends[world.state]++;
        const undoable = PLANS[plan].filter(({ kind }) => STEP_RULES[kind].hasUndo).map(({ id }) => id);
        const left = undoable.filter((id) => world.effects.includes(id));
        if (world.state === "live") expect(left).toEqual(undoable);
        else expect(left).toEqual([]);
      } else {
        if (next.length === 0) expect.fail(`stuck: ${JSON.stringify(world)}`);
      }
      for (const candidate of next) {
        const key = JSON.stringify(candidate);
        if (seen.has(key)) continue;
        seen.add(key);
        open.push(candidate);
      }
    }
    process.stdout.write(`${plan}: ${seen.size} states, ${ends.live} ends live, ${ends.failed} ends failed\n`);
    expect(ends.live).toBeGreaterThan(10);
    expect(ends.failed).toBeGreaterThan(100);
  },
);

import { setTimeout as sleep } from "node:timers/promises";
import type { Moment } from "../../../packages/core/src/engine/boundaries.ts";
import { eventually, kill } from "../../e2e/support/plane.ts";
import { type Wanted, deploy } from "../support/application.ts";
import type { Result } from "../support/result.ts";
import { type Rig, type RigOptions, makeRig } from "../support/rig.ts";
import { doubles, faultsIn, untilOver } from "../support/world.ts";

export interface StopOptions extends RigOptions {
  readonly cause: "cancel" | "deadline";
  readonly most: number;
  readonly onTrial?: (line: string) => void;
}

/** The shortest deadline that the API takes. */
const SHORTEST_MS = 1_000;
/** A deployment may come to a boundary this much later than the recorded one did, so that its deadline is still ahead there. */
const SLACK = 2;

/**
 * Asks for a stop at each boundary of a deployment: the worker is held exactly there (SIGSTOP), the stop is asked for or the deadline passes, and
 * the worker goes on. Each ends in one state, with the old release serving or, where the switch had begun, the new one whole, and nothing left.
 */
export async function stopAnywhere(options: StopOptions): Promise<Result> {
  const { cause, most, onTrial = () => {} } = options;
  const rig = await makeRig(options);
  const wanted = { project: cause, hasTask: true };
  const scene = { mark: `${cause}-first` };
  const failures: string[] = [];
  const ends: Record<string, number> = { held: 0, "held after the switch": 0 };
  try {
    await untilOver(rig, await deploy(rig, { ...wanted, mark: scene.mark }));
    const points = await record(rig, { ...wanted, mark: `${cause}-second` });
    scene.mark = `${cause}-second`;
    const chosen =
      points.length <= most ? points : Array.from({ length: most }, (_, at) => points[Math.floor((at * points.length) / most)]!);
    for (const [at, point] of chosen.entries()) {
      const timeoutMs = SHORTEST_MS + SLACK * point.afterMs;
      const next: Wanted = { ...wanted, mark: `${cause}-${at}`, ...(cause === "deadline" && { timeoutMs }) };
      const { state, faults, wasHeld } = await stopOnce(rig, { next, point, scene, cause });
      ends[state] = (ends[state] ?? 0) + 1;
      if (wasHeld) ends["held"]!++;
      if (wasHeld && point.isPastSwitch) ends["held after the switch"]!++;
      const where = `${point.moment} ${point.boundary}`;
      failures.push(...faults.map((what) => `${cause} ${where}: ${what}`));
      onTrial(`${cause} ${where}: ${state}${faults.map((what) => `\n    ${what}`).join("")}`);
    }
    return {
      experiment: `${cause} at every boundary`,
      figures: { boundaries: chosen.length, ...ends, failures: failures.length },
      failures,
    };
  } finally {
    await rig.remove();
  }
}

interface Point {
  readonly moment: Moment;
  readonly boundary: string;
  /** How long after it was asked for the recorded deployment came there. */
  readonly afterMs: number;
  /** Whether the intent to switch is in the ledger by then. */
  readonly isPastSwitch: boolean;
}

/** From this commit on, neither cancel nor deadline counts. */
const SWITCH = /step\.intend route\b/;

async function record(rig: Rig, wanted: Wanted): Promise<readonly Point[]> {
  rig.faults.clear();
  const asked = Date.now();
  const id = await deploy(rig, wanted);
  await untilOver(rig, id);
  // What keeps house after the verdict can be stopped by nobody.
  const journal = rig.faults.journal();
  const verdict = journal.findIndex(({ moment, boundary }) => moment === "after" && boundary.includes("deployment.end"));
  const switched = journal.findIndex(({ moment, boundary }) => moment === "after" && SWITCH.test(boundary));
  const points = journal
    .slice(0, verdict)
    .map(({ at, moment, boundary }, place): Point => ({ moment, boundary, afterMs: at - asked, isPastSwitch: place >= switched }))
    .filter(({ moment, boundary }) => moment !== "inside" && /^(?:commit|call) /.test(boundary));
  return [...new Map(points.toReversed().map((point) => [`${point.moment} ${point.boundary}`, point])).values()].toReversed();
}

interface StopTrial {
  readonly next: Wanted;
  readonly point: Point;
  readonly scene: { mark: string };
  readonly cause: StopOptions["cause"];
}

interface Stopped {
  readonly state: string;
  readonly wasHeld: boolean;
  readonly faults: readonly string[];
}

async function stopOnce(rig: Rig, { next, point, scene, cause }: StopTrial): Promise<Stopped> {
  rig.faults.clear();
  rig.faults.arm({ moment: point.moment, boundary: point.boundary, act: "stop" });
  const asked = Date.now();
  // A process that stands still may have taken the request and not answered it yet.
  const asking = deploy(rig, next);
  asking.catch(() => {});
  const held = () => rig.faults.journal().find(({ act }) => act === "stop");
  await eventually("a worker that stands still", async () => held() !== undefined, { forMs: 15_000 }).catch(() => {});
  if (cause === "deadline") await sleep(asked + next.timeoutMs! - Date.now() + PAST_MS);
  // As the API does it; that one may be part of the process which stands still.
  else await rig.sql("update helix.deployment set cancel_requested_by = principal where ended_at is null");
  const found = held();
  if (found) kill(found.pid, "SIGCONT");
  rig.faults.disarm();
  const ended = await untilOver(rig, await asking);
  const isLive = ended.state === "live";
  if (isLive) scene.mark = next.mark;
  const code = cause === "cancel" ? "CANCELLED" : "DEADLINE_PASSED";
  const isRight = isLive || (ended.code === code && !(found && point.isPastSwitch));
  return {
    state: ended.state,
    wasHeld: found !== undefined,
    faults: [
      ...(isRight ? [] : [`it ended ${ended.state} (${ended.code})`]),
      ...doubles(rig, { mark: next.mark, wanted: next, isLive }),
      ...(await faultsIn(rig, { mark: scene.mark, wanted: next })),
    ],
  };
}

/** How far behind the deadline is when the worker goes on. */
const PAST_MS = 200;

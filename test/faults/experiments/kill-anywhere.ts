import type { Fault } from "../../../packages/core/src/main/faults/fault-folder.ts";
import { type Wanted, deploy, portsLost } from "../support/application.ts";
import { loadavg } from "node:os";
import { eventually } from "../../e2e/support/plane.ts";
import type { Crossed } from "../support/fault-files.ts";
import { hasDocker } from "../support/processes.ts";
import { seeded } from "../../support/seeded.ts";
import { type Result, spread } from "../support/result.ts";
import { type Rig, type RigOptions, makeRig } from "../support/rig.ts";
import { type Ended, doubles, faultsIn, liveWorkers, swept, untilOver } from "../support/world.ts";

export interface KillOptions extends RigOptions {
  /** At most so many kills, spread evenly over the boundaries. */
  readonly most?: number;
  readonly kinds?: readonly ReferenceKind[];
  /** No trial begins after it; each kind has its share. Default: as long as it takes. */
  readonly minutes?: number;
  /** In which order boundaries have their turn. Default 1. */
  readonly seed?: number;
  readonly onTrial?: (line: string) => void;
}

/** What is deployed while the worker dies: a switch side by side with a task, a hand-over of a volume, one that fails, one on Docker. */
export type ReferenceKind = "switch" | "hand-over" | "failing" | "docker";

const KINDS: Readonly<Record<ReferenceKind, Omit<Wanted, "mark">>> = {
  switch: { project: "switch", hasTask: true },
  "hand-over": { project: "handover", hasVolume: true },
  failing: { project: "failing" },
  docker: { project: "docker", runtime: "docker" },
};

function allKinds(): readonly ReferenceKind[] {
  return ["switch", "hand-over", "failing", ...(hasDocker() ? (["docker"] as const) : [])];
}

/** Boundaries that are crossed in the background, whoever deploys. */
const BACKGROUND = /^(?:ledger\.(?:overdueRuns|authenticate|registerWorker|ensurePrincipal|beat|endWorker)|logs\.)/;

/** Kills the worker at each boundary of a reference deployment, one a deployment, and looks at what becomes of it. */
export async function killAnywhere(options: KillOptions): Promise<Result> {
  const { most = Number.POSITIVE_INFINITY, kinds = allKinds(), minutes = 600, seed = 1, onTrial = () => {} } = options;
  const rig = await makeRig(options);
  const failures: string[] = [];
  const resumes: number[] = [];
  const boundaries = new Set<string>();
  let runs = 0;
  /** Faults that nobody came to: another worker did it, or it was not needed. */
  let missed = 0;
  let taken = 0;
  const random = seeded(seed);
  const shareMs = (minutes * 60_000) / kinds.length;
  try {
    for (const kind of kinds) {
      const end = performance.now() + shareMs;
      const scene = await setScene(rig, kind);
      for (const fault of shuffled(spreadOver(await recordFaults(rig, scene), most / kinds.length), random)) {
        if (performance.now() > end) break;
        const trial = await killOnce(rig, scene, fault, { isSwept: runs % SWEEP_EVERY === 0 });
        if (!trial.hasDied) missed++;
        else boundaries.add(`${kind}: ${fault.moment} ${fault.boundary} #${fault.skip}`);
        runs++;
        if (trial.resumeMs !== null) resumes.push(trial.resumeMs);
        failures.push(...trial.faults.map((what) => `${kind}, killed ${fault.moment} ${fault.boundary} #${fault.skip}: ${what}`));
        onTrial(
          `${kind} ${fault.moment} ${fault.boundary} #${fault.skip}: ${trial.state}, resumed in ${trial.resumeMs} ms${trial.faults.map((what) => `\n    ${what}`).join("")}`,
        );
      }
      failures.push(...(await swept(rig)).map((what) => `after ${kind}: ${what}`));
    }
    taken = portsLost(rig);
  } finally {
    await rig.remove();
  }
  const figures = {
    scenes: kinds.join(" "),
    boundaries: boundaries.size,
    runs,
    killed: runs - missed,
    failures: failures.length,
    ...spread("resume", resumes),
    "ports taken by other programs": taken,
    load: Math.round(loadavg()[1]! * 10) / 10,
  };
  return { experiment: `kill anywhere, ${options.queue} queue, ${options.mode} mode`, figures, failures };
}

interface Scene {
  readonly wanted: Omit<Wanted, "mark">;
  readonly isFailing: boolean;
  /** What serves now. */
  mark: string;
  count: number;
}

/** A first release that serves. */
async function setScene(rig: Rig, kind: ReferenceKind): Promise<Scene> {
  const scene = { wanted: KINDS[kind], isFailing: kind === "failing", mark: `${kind}-first`, count: 0 };
  const ended = await untilOver(rig, await deploy(rig, { ...scene.wanted, mark: scene.mark }));
  if (ended.state !== "live") throw new Error(`the first release of ${kind} is ${ended.state}: ${ended.code}`);
  return scene;
}

/** Deploys once without a fault; answers with a fault for every moment of every boundary that it crossed. */
async function recordFaults(rig: Rig, scene: Scene): Promise<readonly Fault[]> {
  rig.faults.clear();
  const id = await nextDeploy(rig, scene);
  await checkEnd(rig, scene, await untilOver(rig, id));
  const counts = new Map<string, number>();
  return rig.faults
    .journal()
    .filter(({ boundary }) => !BACKGROUND.test(boundary))
    .flatMap(({ moment, boundary }): Fault[] => {
      const name = `${moment} ${boundary}`;
      const skip = counts.get(name) ?? 0;
      counts.set(name, skip + 1);
      // Who does them, and how often, differs from run to run; and one file of a source is as good as the other.
      if (skip > 0 && /^(?:sources|queue|ledger)\./.test(boundary)) return [];
      return [{ moment, boundary, skip, act: "kill", afterMs: moment === "inside" ? insideMs(boundary, skip) : 0 }];
    });
}

/** Calls take longer than commits; where in them it happens differs from boundary to boundary. */
function insideMs(boundary: string, skip: number): number {
  return boundary.startsWith("call") ? 3 + ((boundary.length * 7 + skip * 13) % 30) : 1;
}

function nextDeploy(rig: Rig, scene: Scene): Promise<string> {
  return deploy(rig, { ...scene.wanted, mark: `${scene.wanted.project}-${++scene.count}`, ...(scene.isFailing && { isSick: true }) });
}

interface Trial {
  readonly state: string;
  readonly hasDied: boolean;
  readonly resumeMs: number | null;
  readonly faults: readonly string[];
}

async function killOnce(rig: Rig, scene: Scene, fault: Fault, { isSwept }: { isSwept: boolean }): Promise<Trial> {
  rig.faults.clear();
  rig.faults.arm(fault);
  try {
    const id = await nextDeploy(rig, scene);
    const ended = await untilOver(rig, id);
    const journal = rig.faults.journal();
    const died = journal.find(({ act }) => act === "kill");
    const faults = [...(await checkEnd(rig, scene, ended)), ...(isSwept ? await swept(rig) : [])];
    if (rig.options.mode === "server") await restoreWorkers(rig);
    return { state: ended.state, hasDied: died !== undefined, resumeMs: died ? resumeOf(journal, died) : null, faults };
  } catch (error) {
    return { state: "stuck", hasDied: true, resumeMs: null, faults: [error instanceof Error ? error.message : String(error)] };
  }
}

/** From the kill to the successor's first claim. Null when the deployment was not under way yet. */
function resumeOf(journal: readonly Crossed[], died: Crossed): number | null {
  if (!journal.some(({ at, moment, boundary }) => at <= died.at && moment === "after" && boundary === "ledger.claim")) return null;
  const next = journal.find(
    ({ at, pid, moment, boundary }) => at >= died.at && pid !== died.pid && moment === "after" && boundary === "ledger.claim",
  );
  return next ? next.at - died.at : null;
}

/** Compares ledger and world with what should be, and remembers what serves. */
async function checkEnd(rig: Rig, scene: Scene, ended: Ended): Promise<readonly string[]> {
  const mark = `${scene.wanted.project}-${scene.count}`;
  const isLive = ended.state === "live";
  const isRight = scene.isFailing ? ended.code === "HEALTH_FAILED" : isLive || (scene.wanted.hasTask && ended.code === "TASK_UNKNOWN_END");
  const wrong = isRight ? [] : [`it ended ${ended.state} (${ended.code})`];
  if (isLive) scene.mark = mark;
  const wanted = { ...scene.wanted, mark };
  return [...wrong, ...doubles(rig, { mark, wanted, isLive }), ...(await faultsIn(rig, { mark: scene.mark, wanted, isSwept: false }))];
}

/** A second worker stands beside the control plane in server mode: both take runs when the next trial begins. */
async function restoreWorkers(rig: Rig): Promise<void> {
  const workers = (await rig.plane.processes()).filter(({ command }) => /main\.js worker|helix-worker/.test(command));
  if (workers.length === 0) rig.startWorker();
  await eventually("two workers", () => liveWorkers(rig), { forMs: 30_000, holds: (live) => live >= 2 });
}

/** A sweep wakes every plugin, which takes longer than a trial; what is left over is still there at the next. */
const SWEEP_EVERY = 8;

function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function spreadOver<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items;
  return Array.from({ length: Math.floor(most) }, (_, at) => items[Math.floor((at * items.length) / most)]!);
}

import { type ChildProcess } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault } from "../../../packages/core/src/main/faults/fault-folder.ts";
import { eventually, kill } from "../../e2e/support/plane.ts";
import { type Wanted, deploy } from "../support/application.ts";
import { dumpRows } from "../support/dump.ts";
import { hasHaproxy } from "../support/processes.ts";
import { seeded } from "../../support/seeded.ts";
import type { Result } from "../support/result.ts";
import { type Rig, type RigOptions, makeRig } from "../support/rig.ts";
import { applicationsOf, dockerNames, doubles, faultsIn, liveWorkers, untilOver, verdict } from "../support/world.ts";

export interface FrozenOptions extends Pick<RigOptions, "queue"> {
  readonly trials: number;
  readonly seed: number;
  readonly runtimes?: readonly ("process" | "docker")[];
  readonly onTrial?: (line: string) => void;
}

/** Workers that are frozen side by side: each round waits for a lease. */
const SIDE_BY_SIDE = 6;
/** What so many workers need. */
const CONNECTIONS = 400;
/** How long a worker that was woken gets to do harm. */
const HARM_MS = 3_000;

/** Freezes workers in the middle of a deployment, lets others finish it, wakes them, and looks for anything that they still do. */
export async function frozenWorker(options: FrozenOptions): Promise<Result> {
  const { trials, seed, queue, runtimes = ["process"], onTrial = () => {} } = options;
  // One run a worker: else one would be frozen for all.
  const rig = await makeRig({ queue, mode: "server", connections: CONNECTIONS, env: { HELIX_CONCURRENCY: "1" } });
  const random = seeded(seed);
  const scenes = Array.from({ length: SIDE_BY_SIDE }, (_, at): Scene => {
    const runtime = runtimes[at % runtimes.length]!;
    const isStatic = at === STATIC_AT && runtime === "process";
    const delivery = at === HAPROXY_AT && hasHaproxy() ? { delivery: "haproxy" as const } : {};
    const hasTask = runtime === "process" && !isStatic;
    const wanted = { project: `frozen${at}`, runtime, ...delivery, isStatic, hasTask, hasVolume: at % 3 === 2 };
    return { wanted, mark: null, count: 0 };
  });
  const tally = { frozen: 0, writes: 0, effects: 0 };
  const failures: string[] = [];
  try {
    const faults = await setScenes(rig, scenes);
    while (tally.frozen < trials) {
      const chosen = Array.from(
        { length: Math.min(SIDE_BY_SIDE, trials - tally.frozen) },
        () => faults[Math.floor(random() * faults.length)]!,
      );
      const round = await freezeOnce(rig, scenes, chosen);
      tally.frozen += round.frozen;
      tally.writes += round.writes.length;
      tally.effects += round.effects.length;
      const where = chosen.map(({ moment, boundary }) => `${moment} ${boundary}`).join("; ");
      const wrong = [...round.writes, ...round.effects, ...round.faults];
      failures.push(...wrong.map((what) => `frozen ${where}: ${what}`));
      onTrial(`${round.frozen} frozen ${where}${wrong.map((what) => `\n    ${what}`).join("")}`);
      if (round.frozen === 0) failures.push(`nobody was frozen ${where}`);
    }
  } finally {
    await rig.remove();
  }
  const figures = { seed, frozen: tally.frozen, "stale writes": tally.writes, "stale effects": tally.effects, failures: failures.length };
  return { experiment: `frozen worker, ${queue} queue`, figures, failures };
}

/** The scene of a site without a program. */
const STATIC_AT = 4;
/** The one whose requests the other delivery brings. */
const HAPROXY_AT = 2;

interface Scene {
  readonly wanted: Omit<Wanted, "mark">;
  mark: string | null;
  count: number;
}

/** First releases, and every point at which a worker may be frozen, taken from a deployment of the first scene. */
async function setScenes(rig: Rig, scenes: readonly Scene[]): Promise<readonly Fault[]> {
  for (const scene of scenes) await finish(rig, scene, await next(rig, scene));
  rig.faults.clear();
  await finish(rig, scenes[0]!, await next(rig, scenes[0]!));
  const names = rig.faults
    .journal()
    .filter(({ boundary }) => /^(?:commit|call) /.test(boundary) && !/drain|run\.(?:sleep|end)/.test(boundary));
  const all = new Map(names.map(({ moment, boundary }) => [`${moment} ${boundary}`, { moment, boundary, act: "stop" } as const]));
  return [...all.values()];
}

function next(rig: Rig, scene: Scene): Promise<string> {
  return deploy(rig, { ...scene.wanted, mark: `${scene.wanted.project}-${++scene.count}` });
}

/** What is wrong with how it ended. */
async function finish(rig: Rig, scene: Scene, deployment: string): Promise<readonly string[]> {
  const ended = await untilOver(rig, deployment, 120_000);
  const mark = `${scene.wanted.project}-${scene.count}`;
  const isLive = ended.state === "live";
  if (isLive) scene.mark = mark;
  const isRight = isLive || ended.code === "TASK_UNKNOWN_END";
  return isRight ? doubles(rig, { mark, wanted: { ...scene.wanted, mark }, isLive }) : [`${mark} ended ${ended.state} (${ended.code})`];
}

interface Round {
  readonly frozen: number;
  readonly writes: readonly string[];
  readonly effects: readonly string[];
  readonly faults: readonly string[];
}

async function freezeOnce(rig: Rig, scenes: readonly Scene[], faults: readonly Fault[]): Promise<Round> {
  await fillUp(rig, faults.length);
  rig.faults.clear();
  // The API has to take what is asked for while others are frozen.
  const control = await rig.pidOf("control");
  for (const fault of faults) rig.faults.arm({ ...fault, ...(control !== null && { spares: control }) });
  const pids = () => rig.faults.journal().flatMap(({ act, pid }) => (act === "stop" ? [pid] : []));
  let successor: ChildProcess | null = null;
  try {
    const deployments = await Promise.all(scenes.map((scene) => next(rig, scene)));
    const isOver = async () => (await Promise.all(deployments.map((id) => verdict(rig, id)))).every((found) => found !== null);
    // A worker can be frozen in one place only, so some faults may find nobody.
    await eventually("frozen workers", async () => rig.faults.waiting() === 0 || (await isOver()) || pids().length >= faults.length, {
      forMs: 20_000,
    }).catch(() => {});
    rig.faults.disarm();
    successor = rig.startWorker({ HELIX_FAULT: "", HELIX_CONCURRENCY: String(SIDE_BY_SIDE) });
    const frozen = new Set(pids());
    const wrong: string[] = [];
    for (const [at, id] of deployments.entries()) wrong.push(...(await finish(rig, scenes[at]!, id)));
    const before = await picture(rig, scenes);
    for (const pid of frozen) kill(pid, "SIGCONT");
    await sleep(HARM_MS);
    const after = await picture(rig, scenes);
    for (const { mark, wanted } of scenes) wrong.push(...(await faultsIn(rig, { mark, wanted: { ...wanted, mark: mark! } })));
    return {
      frozen: frozen.size,
      writes: difference(before.ledger, after.ledger),
      effects: difference(before.world, after.world),
      faults: wrong,
    };
  } finally {
    for (const pid of pids()) kill(pid, "SIGCONT");
    successor?.kill("SIGKILL");
    await eventually("an API that answers", () => rig.api.request("GET", "/v1/plane"), { forMs: 30_000 });
  }
}

/** Those that were frozen go on to the next round: they must be as good as new. */
async function fillUp(rig: Rig, count: number): Promise<void> {
  const missing = count - (await liveWorkers(rig));
  for (let left = missing; left > 0; left--) rig.startWorker();
  await eventually("enough workers", () => liveWorkers(rig), { forMs: 60_000, holds: (live) => live >= count });
}

/** All that a worker could change, as lines. */
async function picture(rig: Rig, scenes: readonly Scene[]): Promise<{ ledger: readonly string[]; world: readonly string[] }> {
  const applications = await Promise.all(scenes.map(({ wanted }) => applicationsOf(rig, wanted.project)));
  const running = applications.flat().map(({ pid, service }) => `${service} runs as ${pid}`);
  const containers = scenes.some(({ wanted }) => wanted.runtime === "docker") ? await dockerNames(rig, "") : [];
  const written = readdirSync(rig.effects).flatMap((name) => readFileSync(join(rig.effects, name), "utf8").split("\n"));
  return { ledger: await dumpRows(rig), world: [...running, ...containers, ...written].toSorted() };
}

function difference(before: readonly string[], after: readonly string[]): readonly string[] {
  const [had, has] = [new Set(before), new Set(after)];
  return [
    ...before.filter((line) => !has.has(line)).map((line) => `was: ${line}`),
    ...after.filter((line) => !had.has(line)).map((line) => `is: ${line}`),
  ];
}

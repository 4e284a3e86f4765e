import { setTimeout as sleep } from "node:timers/promises";
import { eventually, kill } from "../../e2e/support/plane.ts";
import { type Wanted, deploy } from "../support/application.ts";
import { holdingsOf, leaks, told } from "../support/leaks.ts";
import { seeded } from "../../support/seeded.ts";
import type { Result } from "../support/result.ts";
import { type Rig, type RigOptions, makeRig } from "../support/rig.ts";
import { faultsIn, untilOver, untilQuiet } from "../support/world.ts";

export interface SoakOptions extends RigOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly projects: number;
  readonly onAction?: (line: string) => void;
}

interface Scene {
  readonly wanted: Omit<Wanted, "mark">;
  mark: string | null;
  /** The marks of releases, oldest first, as far as they can be gone back to. */
  readonly releases: { readonly id: string; readonly mark: string }[];
  count: number;
}

const VICTIMS = ["control", "router", "supervisor", "postgres"] as const;
/** Random deploys, rollbacks, destroys and kills; at the end ledger and world agree, and nothing has leaked. The seed reproduces the order of actions. */
export async function soak(options: SoakOptions): Promise<Result> {
  const { seed, minutes, projects, onAction = () => {} } = options;
  const rig = await makeRig({ ...options, hasFaults: false });
  const random = seeded(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const scenes = Array.from({ length: projects }, (_, at): Scene => ({
    wanted: { project: `soak${at}`, hasVolume: at % 3 === 0 },
    mark: null,
    releases: [],
    count: 0,
  }));
  const tally = { deploys: 0, failing: 0, rollbacks: 0, destroys: 0, kills: 0 };
  const failures: string[] = [];
  try {
    const before = await holdingsOf(rig);
    const end = performance.now() + minutes * 60_000;
    while (performance.now() < end) {
      const scene = pick(scenes);
      const dice = random();
      const kind =
        scene.mark === null || dice < 0.55
          ? "deploy"
          : dice < 0.7
            ? "failing"
            : dice < 0.85 && scene.releases.length > 1
              ? "rollback"
              : "destroy";
      const killing = random() < 0.4 ? { victim: pick(VICTIMS), afterMs: random() * 1_500 } : null;
      const wrong = await act(rig, scene, { kind, killing });
      tally[kind === "failing" ? kind : (`${kind}s` as "deploys" | "rollbacks" | "destroys")]++;
      if (killing) tally.kills++;
      failures.push(...wrong);
      onAction(
        `${kind} ${scene.wanted.project}${killing ? `, ${killing.victim} killed` : ""}${wrong.map((what) => `\n    ${what}`).join("")}`,
      );
    }
    await untilQuiet(rig);
    for (const { wanted, mark } of scenes) failures.push(...(await settled(rig, { wanted: { ...wanted, mark: mark ?? "" }, mark })));
    // Also those that were destroyed before: their volumes stayed.
    for (const { wanted, count } of scenes)
      if (count > 0) await untilOver(rig, await rig.api.create({ kind: "destroy", project: wanted.project, withData: true }));
    await untilQuiet(rig);
    // Plugin hosts end when they are idle, and what they held goes with them.
    const after = await eventually("as little as before", () => holdingsOf(rig), {
      forMs: 60_000,
      holds: (now) => leaks(before, now).length === 0,
    }).catch(() => holdingsOf(rig));
    failures.push(...leaks(before, after));
    const figures = { seed, minutes, ...tally, ...told(before, after), failures: failures.length };
    return { experiment: `soak, ${options.queue} queue`, figures, failures };
  } finally {
    await rig.remove();
  }
}

interface Action {
  readonly kind: "deploy" | "failing" | "rollback" | "destroy";
  readonly killing: { readonly victim: (typeof VICTIMS)[number]; readonly afterMs: number } | null;
}

async function act(rig: Rig, scene: Scene, { kind, killing }: Action): Promise<readonly string[]> {
  const mark = `${scene.wanted.project}-${++scene.count}`;
  const target = scene.releases.at(-2);
  const id = await ask(rig, scene, { kind, mark, release: target?.id });
  if (killing) {
    await sleep(killing.afterMs);
    const pid = await rig.pidOf(killing.victim);
    if (pid !== null) kill(pid);
  }
  const ended = await untilOver(rig, id, 180_000);
  const isRight = kind === "failing" ? ended.code === "HEALTH_FAILED" : ended.state === "live";
  if (ended.state === "live") await remember(rig, scene, { kind, mark, deployment: id, back: target });
  const wrong = isRight ? [] : [`${kind} of ${scene.wanted.project} ended ${ended.state} (${ended.code})`];
  return [...wrong, ...(await settled(rig, { wanted: { ...scene.wanted, mark }, mark: scene.mark }))];
}

function ask(
  rig: Rig,
  { wanted }: Scene,
  { kind, mark, release }: { kind: Action["kind"]; mark: string; release: string | undefined },
): Promise<string> {
  if (kind === "rollback") return rig.api.create({ kind, project: wanted.project, release });
  if (kind === "destroy") return rig.api.create({ kind, project: wanted.project });
  return deploy(rig, { ...wanted, mark, isSick: kind === "failing" });
}

interface Went {
  readonly kind: Action["kind"];
  readonly mark: string;
  readonly deployment: string;
  readonly back: { readonly id: string; readonly mark: string } | undefined;
}

async function remember(rig: Rig, scene: Scene, { kind, mark, deployment, back }: Went): Promise<void> {
  if (kind === "destroy") {
    scene.mark = null;
    scene.releases.length = 0;
  } else if (kind === "rollback") {
    scene.mark = back!.mark;
    scene.releases.push(back!);
  } else {
    const [{ release } = { release: "" }] = await rig.sql("select release from helix.deployment where id = $1", [deployment]);
    scene.mark = mark;
    scene.releases.push({ id: release as string, mark });
  }
}

/** A process that was killed just now may still be starting: what is wrong must stay wrong. */
async function settled(rig: Rig, expected: Parameters<typeof faultsIn>[1]): Promise<readonly string[]> {
  let last: readonly string[] = [];
  await eventually("what should be", async () => (last = await faultsIn(rig, expected)), {
    forMs: 20_000,
    holds: (found) => found.length === 0,
  }).catch(() => {});
  return last;
}

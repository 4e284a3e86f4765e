import { setTimeout as sleep } from "node:timers/promises";
import { eventually, get, kill } from "../../e2e/support/plane.ts";
import { askAll } from "../support/ask-all.ts";
import { type Wanted, deploy } from "../support/application.ts";
import { isAlive } from "../support/processes.ts";
import { seeded } from "../../support/seeded.ts";
import type { Result } from "../support/result.ts";
import { type Rig, type RigOptions, makeRig } from "../support/rig.ts";
import { addressesOf, faultsIn, untilOver } from "../support/world.ts";

/** What is killed besides workers, and whether the router, through which applications are asked, lives on meanwhile. */
const VICTIMS = ["control", "plugin-host", "router", "supervisor", "postgres"] as const;
type Victim = (typeof VICTIMS)[number];

export interface ProcessOptions extends RigOptions {
  /** Kills of each kind of process. */
  readonly kills: number;
  readonly seed: number;
  readonly victims?: readonly Victim[];
  readonly onTrial?: (line: string) => void;
}

/** A random moment of a deployment, milliseconds after it was asked for. */
const WITHIN_MS = 1_500;

/** Kills one process of the plane at random moments of deployments, while applications are asked all the time. */
export async function killProcesses(options: ProcessOptions): Promise<Result> {
  const { kills, seed, victims = VICTIMS, onTrial = () => {} } = options;
  const rig = await makeRig(options);
  const random = seeded(seed);
  const failures: string[] = [];
  const figures: Record<string, number> = { seed };
  const wanted = { project: "killed", mark: "killed-0" };
  try {
    await untilOver(rig, await deploy(rig, wanted));
    let mark = wanted.mark;
    for (const victim of victims) {
      const tally = { kills: 0, requests: 0, failed: 0, moved: 0 };
      for (let at = 0; at < kills; at++) {
        const next = { ...wanted, mark: `killed-${victim}-${at}` };
        const trial = await killOnce(rig, { victim, next, afterMs: random() * WITHIN_MS });
        if (trial.isLive) mark = next.mark;
        // A process that was killed last is just starting again.
        const settled = await eventually("what should be", () => faultsIn(rig, { mark, wanted: next }), {
          holds: (found) => found.length === 0,
        }).catch(() => null);
        const wrong = [...trial.faults, ...(settled ?? (await faultsIn(rig, { mark, wanted: next })))];
        failures.push(...wrong.map((what) => `${victim} killed: ${what}`));
        tally.kills += trial.killed;
        tally.requests += trial.requests;
        tally.failed += trial.failed;
        tally.moved += trial.moved;
        onTrial(`${victim}: ${trial.requests} requests, ${trial.failed} failed${wrong.map((what) => `\n    ${what}`).join("")}`);
      }
      for (const [name, value] of Object.entries(tally)) figures[`${victim}: ${name === "moved" ? "runs that moved" : name}`] = value;
    }
  } finally {
    await rig.remove();
  }
  return { experiment: `kill processes, ${options.queue} queue`, figures: { ...figures, failures: failures.length }, failures };
}

interface Trial {
  readonly isLive: boolean;
  readonly killed: number;
  readonly requests: number;
  readonly failed: number;
  readonly moved: number;
  readonly faults: readonly string[];
}

async function killOnce(rig: Rig, { victim, next, afterMs }: { victim: Victim; next: Wanted; afterMs: number }): Promise<Trial> {
  const addresses = Object.values(await addressesOf(rig, next.project));
  await eventually(
    "answers before the kill",
    async () => {
      for (const address of addresses) await get(address);
    },
    { holds: () => true },
  );
  const id = await deploy(rig, next);
  const asking = askAll(addresses);
  await sleep(afterMs);
  const pids = await pidsOf(rig, victim);
  for (const pid of pids) kill(pid);
  const ended = await eventually("the end of the deployment", () => untilOver(rig, id), { forMs: 90_000 });
  const { requests, failed } = await asking.stop();
  const lost = await rig.sql("select 1 from helix.event where stream = $1 and type = 'run.lost'", [`deployment:${id}`]);
  const mayMove = victim === "control";
  return {
    isLive: ended.state === "live",
    killed: pids.length,
    requests,
    failed,
    moved: lost.length,
    faults: [
      ...(ended.state === "live" ? [] : [`the deployment ended ${ended.state} (${ended.code})`]),
      ...(lost.length > 0 && !mayMove ? ["a step moved to another worker while its own lived"] : []),
      // Requests go through the router; while that one is away, nobody answers at its ports.
      ...(failed > 0 && victim !== "router" ? [`${failed} of ${requests} requests failed`] : []),
    ],
  };
}

async function pidsOf(rig: Rig, victim: Victim): Promise<readonly number[]> {
  if (victim === "plugin-host") {
    const hosts = await rig.sql<{ pid: number }>(
      "select h.pid from helix.worker_host h join helix.worker w on w.id = h.worker where w.ended_at is null",
    );
    return hosts.map(({ pid }) => pid);
  }
  const pid = await rig.pidOf(victim);
  return pid === null ? [] : [pid];
}

/** A worker dies while its plugin host hangs in a call: the successor goes on only when that host has ended. */
export async function hostOutlives(options: RigOptions): Promise<Result> {
  const rig = await makeRig(options);
  const wanted = { project: "outlived", mark: "outlived-1" };
  const failures: string[] = [];
  try {
    // The second call: the host is there by then.
    rig.faults.arm({ moment: "inside", boundary: "call runtime.apply", skip: 1, act: "stop", afterMs: 2 });
    const id = await deploy(rig, wanted);
    const frozen = await eventually(
      "a worker in the middle of a call",
      async () => rig.faults.journal().find(({ act }) => act === "stop"),
      { forMs: 60_000 },
    );
    const hosts = await rig.sql<{ pid: number }>(
      "select h.pid from helix.worker_host h join helix.worker w on w.id = h.worker where w.pid = $1 and h.plugin like 'process%'",
      [frozen!.pid],
    );
    for (const { pid } of hosts) kill(pid, "SIGSTOP");
    kill(frozen!.pid);
    const died = Date.now();
    const claimed = () =>
      rig.faults
        .journal()
        .find(({ at, pid, boundary, moment }) => at >= died && pid !== frozen!.pid && moment === "after" && boundary === "ledger.claim");
    let lastSeen = died;
    while (!claimed() && Date.now() - died < 60_000) {
      if (hosts.some(({ pid }) => isAlive(pid))) lastSeen = Date.now();
      await sleep(20);
    }
    const claim = claimed();
    const ended = await untilOver(rig, id);
    if (hosts.length === 0) failures.push("no plugin host was at work");
    if (!claim || claim.at < lastSeen - 40) failures.push("the successor went on while the old plugin host was alive");
    if (ended.state !== "live") failures.push(`it ended ${ended.state} (${ended.code})`);
    failures.push(...(await faultsIn(rig, { mark: wanted.mark, wanted })));
    const figures = {
      "host ended after ms": lastSeen - died,
      "taken over after ms": (claim?.at ?? Number.NaN) - died,
      failures: failures.length,
    };
    return { experiment: "a plugin host that outlives its worker", figures, failures };
  } finally {
    await rig.remove();
  }
}

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeWorld } from "../../plugins/haproxy/test/world.ts";
import { HOST, get, target } from "../delivery/tools.ts";
import type { Bench, Figure, Row } from "./frame/figure.ts";
import { alone, compare, interleave, median, quantile, timed } from "./frame/measure.ts";
import { load } from "./load/generator.ts";
import { cpuNs } from "./load/proc.ts";
import { HAPROXY, freePort, haproxyByHand, untilOpen } from "./load/reloads.ts";
import { fill } from "./load/routes.ts";
import { startTarget } from "./load/target.ts";

const LOAD = { connections: 32, requests: 10_000 };
const SWITCHES = 20;

/** The plugin's HAProxy beside one whose configuration was written for this one application. */
export const figure: Figure = {
  title: "The haproxy plugin",
  goal: "a switch in at most 3 ms, also with 10,000 routes; requests per CPU second at least 0.98 of a hand-written configuration.",
  rounds: 8,
  run: async (bench) => {
    if (!existsSync(HAPROXY)) {
      bench.note(`not measured: ${HAPROXY} is not here`);
      return [];
    }
    return [...(await throughput(bench)), ...(await switches(10)), ...(await switches(10_000))];
  },
};

async function throughput({ rounds, note }: Bench): Promise<readonly Row[]> {
  const app = await startTarget();
  const world = await makeWorld();
  const hand = await startByHand(app.port);
  try {
    const { addresses } = await world.apply([{ targets: [target(app.port, { release: "rel" })] }]);
    const port = Number(new URL(addresses[0]!.url).port);
    const pid = await world.pid();
    const measured = await interleave(rounds, {
      helix: () => perCpuSecond(port, pid),
      hand: () => perCpuSecond(hand.port, hand.child.pid!),
    });
    note(
      "what the plugin's configuration adds to a request: three look-ups in maps with the variables between them (about half of it), and an address set for the target, by " +
        "which kept connections are told apart; with the target and the route written into the configuration the same rules come to 0.97",
    );
    const against = "by hand";
    return [
      compare(
        { name: "requests per CPU second", unit: "/s", helix: measured.helix, peer: measured.hand, against },
        { of: "ratio", least: 0.98 },
      ),
    ];
  } finally {
    await hand.stop();
    await world.stop();
    app.stop();
  }
}

async function perCpuSecond(port: number, pid: number): Promise<number> {
  const before = cpuNs(pid);
  const { requests, errors } = await load({ port, host: HOST, ...LOAD });
  if (errors > 0) throw new Error(`${errors} connections failed`);
  return (requests * 1e9) / (cpuNs(pid) - before);
}

/** From the call to the first answer of the new target, the journal and the record on disk. */
async function switches(routes: number): Promise<readonly Row[]> {
  const apps = [await startTarget(), await startTarget()];
  const world = await makeWorld({ ports: { first: 14_000, count: routes / 2 + 60 } });
  try {
    await fill(routes - 1, (unit, own) => world.apply(own, { unit }));
    const { addresses } = await world.apply([{ targets: [target(apps[0]!.port, { release: "first" })] }]);
    const times: number[] = [];
    for (let i = 1; i <= SWITCHES; i += 1) {
      times.push(await timed(() => world.apply([{ targets: [target(apps[i % 2]!.port, { revision: `r${i}`, release: `r${i}` })] }])));
      const { headers } = await get(addresses[0]!.address.port);
      if (headers["x-helix-release"] !== `r${i}`)
        throw new Error(`release ${String(headers["x-helix-release"])} answers after the switch to r${i}`);
    }
    const name = `a switch with ${routes.toLocaleString("en-US")} routes`;
    return [
      alone({ name: `${name}, p50`, unit: "ms", n: SWITCHES, value: median(times) }, { of: "helix", most: 3 }),
      alone({ name: `${name}, p90`, unit: "ms", n: SWITCHES, value: quantile(times, 0.9) }),
    ];
  } finally {
    await world.stop();
    for (const app of apps) app.stop();
  }
}

async function startByHand(
  to: number,
): Promise<{ readonly port: number; readonly child: ChildProcess; readonly stop: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "haproxy-"));
  const port = await freePort();
  const file = join(folder, "haproxy.cfg");
  await writeFile(file, haproxyByHand(folder, { port, target: to }));
  const child = spawn(HAPROXY, ["-db", "-f", file], { stdio: "ignore" });
  await untilOpen(port);
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  };
  return { port, child, stop };
}

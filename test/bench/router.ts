import { makeWorld } from "../../plugins/router/test/world.ts";
import { HOST, target } from "../delivery/tools.ts";
import type { Bench, Figure, Row } from "./frame/figure.ts";
import { alone, compare, interleave, median, timed } from "./frame/measure.ts";
import { load, openIdle } from "./load/generator.ts";
import { cpuNs, memoryBytes } from "./load/proc.ts";
import { type ReloadedProxy, startHaproxy, startNginx } from "./load/reloads.ts";
import { fill } from "./load/routes.ts";
import { startTarget } from "./load/target.ts";

const LOAD = { connections: 32, requests: 10_000 };
const WARM = { connections: 32, requests: 40_000 };
const RATE = { connections: 10, requests: 1000, pauseMs: 10 };
const IDLE = 1000;
const ROUTES = [10, 10_000];

/** A proxy in front of one application. */
interface Proxy {
  readonly port: number;
  readonly pid: () => Promise<number>;
}

/** The router's data plane beside nginx and a hand-written haproxy. */
export const figure: Figure = {
  title: "The router",
  goal: "requests per CPU second at least 0.45 of nginx's; a switch with 10,000 routes costs at most 1.2 times one with 10.",
  rounds: 5,
  run: async (bench) => {
    const app = await startTarget();
    const world = await makeWorld();
    const peers = [await startNginx(app.port), await startHaproxy(app.port)].filter((peer) => peer !== null);
    try {
      const { addresses } = await world.apply([{ targets: [target(app.port)] }]);
      const router: Proxy = { port: Number(new URL(addresses[0]!.url).port), pid: async () => world.pid() };
      const costs = await costRows(bench, { router, peers, direct: app.port });
      const idle = await idleRows(router, peers);
      return [...costs, ...idle, ...(await growthRows(bench.rounds))];
    } finally {
      for (const peer of peers) await peer.stop();
      await world.stop();
      app.stop();
    }
  },
};

interface Sides {
  readonly router: Proxy;
  readonly peers: readonly ReloadedProxy[];
  readonly direct: number;
}

async function costRows({ rounds, note }: Bench, { router, peers, direct }: Sides): Promise<readonly Row[]> {
  const named = [["router", router] as const, ...peers.map((peer) => [peer.name.replace(" reload", ""), peer] as const)];
  for (const [, { port }] of named) await load({ port, host: HOST, ...WARM });
  const cpu = await interleave(rounds, Object.fromEntries(named.map(([name, proxy]) => [name, () => perCpuSecond(proxy)])));
  const ways = Object.fromEntries(
    [...named.map(([name, { port }]) => [name, port] as const), ["direct", direct] as const].map(([name, port]) => [
      name,
      () => latencies(port),
    ]),
  );
  const took = await interleave(rounds, ways);
  note(`CPU of a request through the router: ${(1e6 / median(cpu["router"]!.flat())).toFixed(1)} us`);
  note(
    "half of that is the kernel's, in the two writes of a request (to the target, to the client); the rest is two HTTP parsers, Node's and undici's, with their objects. " +
      "Framing of our own for both sides would remove most of the rest, and with it the parsers that are known to be strict",
  );
  const others = named.slice(1).map(([name]) => name);
  return [
    ...others.map((against) => {
      const bound = against === "nginx" ? ({ of: "ratio", least: 0.45 } as const) : undefined;
      return compare({ name: "requests per CPU second", unit: "/s", helix: cpu["router"]!, peer: cpu[against]!, against }, bound);
    }),
    ...[0.5, 0.99].flatMap((share) =>
      ["direct", ...others].map((against) => {
        const name = `latency at no more than ${(RATE.connections * 1000) / RATE.pauseMs} requests a second, p${share * 100}`;
        return compare({ name, unit: "ms", helix: took["router"]!, peer: took[against]!, against, share });
      }),
    ),
  ];
}

async function perCpuSecond({ port, pid }: Proxy): Promise<number> {
  const process = await pid();
  const before = cpuNs(process);
  const { requests, errors } = await load({ port, host: HOST, ...LOAD });
  if (errors > 0) throw new Error(`${errors} connections failed`);
  return (requests * 1e9) / (cpuNs(process) - before);
}

async function latencies(port: number): Promise<readonly number[]> {
  return (await load({ port, host: HOST, ...RATE })).latencies;
}

async function idleRows(router: Proxy, peers: readonly ReloadedProxy[]): Promise<readonly Row[]> {
  const cost = async ({ port, pid }: Proxy): Promise<number> => {
    const process = await pid();
    const before = memoryBytes(process);
    const close = await openIdle({ port, host: HOST, count: IDLE });
    const after = memoryBytes(process);
    close();
    return Math.max(0, after - before) / 1e6;
  };
  const helix = [[await cost(router)]];
  const name = "memory of 1,000 idle connections";
  const rows: Row[] = [];
  for (const peer of peers)
    rows.push(compare({ name, unit: "MB", helix, peer: [[await cost(peer)]], against: peer.name.replace(" reload", "") }));
  return rows;
}

/** One service is switched while many others are served, each with a table of its own. */
async function growthRows(rounds: number): Promise<readonly Row[]> {
  const times: number[][][] = [];
  for (const routes of ROUTES) {
    const world = await makeWorld();
    try {
      await fill(routes - 1, (unit, own) => world.apply(own, { unit }));
      const switches = await interleave(Math.max(20, rounds * 4), {
        switch: (i) => timed(() => world.apply([{ targets: [target(9, { revision: `r${i}` })] }])),
      });
      times.push(switches.switch);
    } finally {
      await world.stop();
    }
  }
  const [few, many] = times as [number[][], number[][]];
  const shared = { unit: "ms", helix: many, peer: few, against: "with 10 routes" };
  return [
    compare({ name: "a switch with 10,000 routes, p50", ...shared }, { of: "ratio", most: 1.2 }),
    alone({ name: "a switch with 10,000 routes, p50", unit: "ms", n: many.length, value: median(many.flat()) }, { of: "helix", most: 3 }),
  ];
}

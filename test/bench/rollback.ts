import { type IncomingMessage, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bench, Figure, Row } from "./frame/figure.ts";
import { alone, quantile } from "./frame/measure.ts";
import { APPLICATION } from "./load/application.ts";
import { type Seen, startTraffic } from "./load/traffic.ts";
import { BESIDE_ANOTHER } from "./support/http.ts";
import { type BenchPlane, type Deployed, openBenchPlane } from "./support/plane.ts";
import { spansBetween } from "./support/spans.ts";

const GOAL_MS = 25;
const MARKS = ["a", "b"] as const;

/** From the API's accept to the first 200 of the old release, under load. */
export const figure: Figure = {
  title: "Rollback",
  goal: `p99 at most ${GOAL_MS} ms with the previous revision kept warm, on docker and on process; 0 failed requests, the same digest, no build.`,
  rounds: 50,
  run: async (bench) => {
    const plane = await openBenchPlane();
    try {
      await bench.database(await plane.databaseUrl());
      bench.note(
        "warm: the thaw and the switch are a few milliseconds each; the rest is what makes them safe: the request, the claim and three commits on disk, a look at the revision that comes and the one that goes, and two policy decisions, on two processors that the load shares; " +
          "a switch before the ledger knows of it would take that away, and with it the promise that a kill at any point is undone or finished",
      );
      const rows: Row[] = [];
      for (const runtime of ["process", "docker"]) {
        rows.push(...(await rollbacks(plane, bench, { runtime, keep: 1, rounds: bench.rounds })));
        rows.push(...(await rollbacks(plane, bench, { runtime, keep: 0, rounds: Math.ceil(bench.rounds / 5) })));
      }
      return rows;
    } finally {
      await plane.remove();
    }
  },
};

interface Case {
  readonly runtime: string;
  /** 1: warm, 0: cold. */
  readonly keep: number;
  readonly rounds: number;
}

async function rollbacks(plane: BenchPlane, { note }: Bench, { runtime, keep, rounds }: Case): Promise<readonly Row[]> {
  const project = `${runtime}-${keep === 1 ? "warm" : "cold"}`;
  const snapshot = await plane.snapshot({ "server.js": APPLICATION, "package.json": "{}" });
  const releases: Deployed[] = [];
  for (const mark of MARKS) {
    const web = { source: ".", build: "node", runtime, start: "node server.js", drain: "2s", env: { MARK: mark } };
    const text = JSON.stringify({ project, rollback: { keep, for: "1h" }, services: { web } });
    releases.push(await plane.live(await plane.create({ kind: "deploy", snapshot, manifest: { file: "helix.yaml", text } })));
  }
  const { address } = releases[1]!.services[0]!;
  const traffic = startTraffic(address, MARKS[1]);
  const times: number[] = [];
  const windows: { readonly from: number; readonly to: number }[] = [];
  const from = performance.timeOrigin + performance.now();
  for (let i = 0; i < rounds; i += 1) {
    const [to, mark] = [releases[i % 2]!, MARKS[i % 2]!];
    await plane.settled(project);
    await sleep(50);
    traffic.coming(mark);
    const asked = performance.timeOrigin + performance.now();
    const began = performance.now();
    const id = await plane.create({ kind: "rollback", project, release: to.release.id });
    await untilAnswers(address, mark);
    times.push(performance.now() - began);
    windows.push({ from: asked, to: performance.timeOrigin + performance.now() });
    const back = await plane.live(id);
    traffic.reported();
    checkSame(back, to);
  }
  const seen = await traffic.stop();
  const spans = await spansBetween(plane.trace, { from, to: performance.timeOrigin + performance.now() });
  const builds = spans.filter(({ name }) => name === "build.build").length;
  note(`${project}: ${await timeOf(plane, windows)}`);
  if (seen.failures.length > 0) note(`${project}: ${[...new Set(seen.failures)].slice(0, 3).join("; ")}`);
  return rowsOf(`${runtime}, ${keep === 1 ? "warm" : "cold"}`, { times, seen, builds, isWarm: keep === 1 });
}

const SHOWN = 6;

/** What most of the time of a rollback went to, a call at a time; calls that overlap are each told whole. */
async function timeOf({ trace }: BenchPlane, windows: readonly { readonly from: number; readonly to: number }[]): Promise<string> {
  const sums = new Map<string, { ms: number; calls: number }>();
  for (const window of windows) {
    for (const { name, ms } of await spansBetween(trace, window)) {
      const sum = sums.get(name) ?? { ms: 0, calls: 0 };
      sums.set(name, { ms: sum.ms + ms, calls: sum.calls + 1 });
    }
  }
  const most = [...sums].toSorted(([, a], [, b]) => b.ms - a.ms).slice(0, SHOWN);
  const each = (value: number): string => (value / windows.length).toFixed(1);
  return `${most.map(([name, { ms, calls }]) => `${name} ${each(ms)} ms in ${each(calls)} calls`).join(", ")}, of ${each(windows.reduce((sum, { from, to }) => sum + to - from, 0))} ms`;
}

interface Measured {
  readonly times: readonly number[];
  readonly seen: Seen;
  readonly builds: number;
  readonly isWarm: boolean;
}

function rowsOf(what: string, { times, seen, builds, isWarm }: Measured): readonly Row[] {
  const n = times.length;
  const none = { of: "helix", most: 0 } as const;
  return [
    alone({ name: `${what}: accept to first 200 of the old release, p50`, unit: "ms", n, value: quantile(times, 0.5) }),
    alone({ name: `${what}: p99`, unit: "ms", n, value: quantile(times, 0.99) }, isWarm ? { of: "helix", most: GOAL_MS } : undefined),
    alone({ name: `${what}: requests failed of ${seen.requests.toLocaleString("en-US")}`, unit: "", n, value: seen.failures.length }, none),
    alone({ name: `${what}: builds`, unit: "", n, value: builds }, none),
  ];
}

function checkSame(back: Deployed, to: Deployed): void {
  const digests = ({ release, services }: any) => JSON.stringify([release.id, services.map(({ artifact }: any) => artifact.digest)]);
  if (digests(back) !== digests(to)) throw new Error(`a rollback made ${digests(back)} and not ${digests(to)}`);
}

/** Asks every millisecond until the release answers. */
async function untilAnswers(address: { readonly host: string; readonly port: number }, mark: string): Promise<void> {
  for (;;) {
    if ((await markOf(address)) === mark) return;
    await sleep(BESIDE_ANOTHER);
  }
}

function markOf({ host, port }: { readonly host: string; readonly port: number }): Promise<string | null> {
  return new Promise((resolve) => {
    const asked = request({ host, port, agent: false, timeout: 2000 }, (answer: IncomingMessage) => {
      answer.resume().on("end", () => resolve(answer.statusCode === 200 ? String(answer.headers["x-mark"]) : null));
    });
    asked
      .on("timeout", () => asked.destroy())
      .on("error", () => resolve(null))
      .end();
  });
}

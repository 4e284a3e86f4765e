import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SupervisorClient } from "@helixstack/supervisor";
import { type Api, openApi } from "../faults/support/api.ts";
import type { Bench, Figure, Row } from "./frame/figure.ts";
import { rowOf } from "./frame/figure.ts";
import { APPLICATION } from "./load/application.ts";
import { type ReloadedProxy, HAPROXY, startApplication, startHaproxy, startNginx } from "./load/reloads.ts";
import { type Seen, type Traffic, startTraffic } from "./load/traffic.ts";
import { type BenchPlane, openBenchPlane } from "./support/plane.ts";

/** Deploys and rollbacks of one service under load, and the same switches made by reloading nginx and haproxy. */
export const figure: Figure = {
  title: "A switch under load",
  goal:
    "0 failed requests and 0 answers of the old release after the switch was reported, while keep-alive and fresh clients, 64 KB posts, 1.5 s requests, uploads, WebSockets and server-sent events run; " +
    "streams are told to go; the same while the control plane is killed 20 times; a broken release never takes traffic.",
  rounds: 100,
  run: async (bench) => {
    const plane = await openBenchPlane();
    try {
      await bench.database(await plane.databaseUrl());
      const router = await throughHelix(plane, { project: "switch", delivery: "router", switches: bench.rounds });
      const kills = await throughHelix(plane, { project: "killed", delivery: "router", switches: Math.min(20, bench.rounds), kill: true });
      const broken = await brokenReleases(plane, Math.min(5, bench.rounds));
      const haproxy = await throughHaproxy(plane, bench);
      bench.note(
        "a reload counts as reported when its command has returned: neither nginx nor haproxy tells when the old process has served its last request",
      );
      const reloads = [await byReload(startNginx, bench), await byReload(startHaproxy, bench)];
      return rowsOf({ router, kills, broken, haproxy, reloads });
    } finally {
      await plane.remove();
    }
  },
};

/** One run: how many switches, and what the load saw. */
interface Run {
  readonly name: string;
  readonly switches: number;
  readonly seen: Seen;
}

interface Asked {
  readonly project: string;
  readonly delivery: string;
  readonly switches: number;
  /** Kill the control plane in each switch, each time a little later. */
  readonly kill?: boolean;
}

async function throughHelix(plane: BenchPlane, asked: Asked): Promise<Run> {
  const api = openApi(plane.home);
  const service = await openService(api, asked);
  const traffic = startTraffic(service.address, "0");
  await sleep(500);
  for (let i = 1; i <= asked.switches; i += 1) {
    const dying = asked.kill ? killControl(plane.home, (i * 23) % 400) : null;
    // Every second one goes back, to a revision that was kept warm.
    await (i % 2 === 0 ? service.back(traffic) : service.deploy(traffic, String(i)));
    await dying;
  }
  await sleep(2000);
  return { name: asked.delivery, switches: asked.switches, seen: await traffic.stop() };
}

interface Service {
  readonly address: { readonly host: string; readonly port: number };
  readonly deploy: (traffic: Traffic, mark: string) => Promise<void>;
  readonly back: (traffic: Traffic) => Promise<void>;
  /** Asks for a release that does not get healthy; tells how it ended. */
  readonly deploySick: (mark: string) => Promise<string>;
}

async function openService(api: Api, { project, delivery }: Pick<Asked, "project" | "delivery">): Promise<Service> {
  const snapshot = await api.snapshot({ "server.js": APPLICATION, "package.json": "{}" });
  const releases: { readonly id: string; readonly mark: string }[] = [];
  const manifest = (env: object) => {
    const web = {
      source: ".",
      build: "node",
      runtime: "process",
      delivery,
      start: "node server.js",
      health: { timeout: "3s" },
      drain: "3s",
      env,
    };
    return { file: "helix.yaml", text: JSON.stringify({ project, rollback: { keep: 1, for: "1h" }, services: { web } }) };
  };
  const end = async (id: string): Promise<any> => {
    for (;;) {
      const found = await api.request("GET", `/v1/deployments/${id}`);
      if (["live", "failed", "cancelled", "superseded"].includes(found.status)) return found;
      await sleep(5);
    }
  };
  const through = async (body: object, mark: string, traffic?: Traffic): Promise<any> => {
    traffic?.coming(mark);
    const id = await api.create(body);
    const found = await end(id);
    traffic?.reported();
    if (found.status !== "live") throw new Error(`${id} ended ${found.status}: ${JSON.stringify(found.error)}`);
    return api.request("GET", `/v1/deployments/${id}/result`);
  };
  const deploy = async (mark: string, traffic?: Traffic): Promise<any> => {
    const result = await through({ kind: "deploy", snapshot, manifest: manifest({ MARK: mark }) }, mark, traffic);
    releases.push({ id: result.release.id, mark });
    return result;
  };
  const { services } = await deploy("0");
  return {
    address: services[0].address,
    deploy: async (traffic, mark) => void (await deploy(mark, traffic)),
    back: async (traffic) => {
      const { id, mark } = releases.at(-2)!;
      await through({ kind: "rollback", project, release: id }, mark, traffic);
      releases.pop();
    },
    deploySick: async (mark) =>
      (await end(await api.create({ kind: "deploy", snapshot, manifest: manifest({ MARK: mark, SICK: "1" }) }))).status,
  };
}

async function killControl(home: string, afterMs: number): Promise<void> {
  await sleep(afterMs);
  const supervisor = await SupervisorClient.connect(home);
  const status = await supervisor.status("control");
  supervisor.close();
  if (status?.pid) process.kill(status.pid, "SIGKILL");
}

async function brokenReleases(plane: BenchPlane, times: number): Promise<Run> {
  const service = await openService(openApi(plane.home), { project: "broken", delivery: "router" });
  const traffic = startTraffic(service.address, "0");
  // A mark that never comes: its answers would count as stale, and as 503.
  traffic.reported();
  for (let i = 1; i <= times; i += 1) {
    const status = await service.deploySick(`sick ${i}`);
    if (status !== "failed") throw new Error(`a release that is not healthy ended ${status}`);
  }
  return { name: "router", switches: times, seen: await traffic.stop() };
}

async function throughHaproxy(plane: BenchPlane, { rounds, note }: Bench): Promise<Run | null> {
  const isHere = await readFile(HAPROXY).then(
    () => true,
    () => false,
  );
  if (isHere) return throughHelix(plane, { project: "outgrown", delivery: "haproxy", switches: rounds });
  note(`the plugin haproxy was not measured: ${join(HAPROXY)} is not here`);
  return null;
}

/** The new process first, then the reload; the old one ends when its requests have had three seconds. */
async function byReload(start: (target: number) => Promise<ReloadedProxy | null>, { rounds, note }: Bench): Promise<Run | null> {
  let app = await startApplication("0");
  const proxy = await start(app.port);
  if (proxy === null) {
    note(`${start.name} was not measured: the program is not here`);
    await app.end();
    return null;
  }
  const traffic = startTraffic({ host: "127.0.0.1", port: proxy.port }, "0");
  const ending: Promise<void>[] = [];
  await sleep(500);
  for (let i = 1; i <= rounds; i += 1) {
    const next = await startApplication(String(i));
    traffic.coming(String(i));
    await proxy.pointAt(next.port);
    traffic.reported();
    const old = app;
    ending.push(sleep(3000).then(() => old.end()));
    app = next;
    await sleep(400);
  }
  await sleep(2000);
  const seen = await traffic.stop();
  await Promise.all(ending);
  await app.end();
  await proxy.stop();
  return { name: proxy.name, switches: rounds, seen };
}

interface Runs {
  readonly router: Run;
  readonly kills: Run;
  readonly broken: Run;
  readonly haproxy: Run | null;
  readonly reloads: readonly (Run | null)[];
}

const COUNTS = [
  ["requests failed", ({ failures }: Seen) => failures.length],
  ["answers of the old release after the switch was reported", ({ stale }: Seen) => stale],
  ["streams cut without a word", ({ cut }: Seen) => cut],
] as const;

function rowsOf({ router, kills, broken, haproxy, reloads }: Runs): readonly Row[] {
  const of = (run: Run, peer: Run | null, what: string): readonly Row[] =>
    COUNTS.map(([name, count]) => {
      const shown = `${name}: ${what}, ${run.seen.requests.toLocaleString("en-US")} requests`;
      const values = { helix: count(run.seen), peer: peer === null ? null : count(peer.seen), against: peer?.name ?? null, ratio: null };
      return rowOf(
        { name: shown, ...values, unit: "", n: run.switches },
        name.startsWith("streams") && run.name === "haproxy" ? undefined : { of: "helix", most: 0 },
      );
    });
  const explained = [router, kills, broken, haproxy, ...reloads].flatMap((run) => (run === null ? [] : tally(run)));
  for (const line of explained) process.stdout.write(`  ${line}\n`);
  return [
    ...reloads.flatMap((peer) => of(router, peer, "deploys and rollbacks")),
    ...of(kills, null, "the control plane killed in each"),
    ...of(broken, null, "releases that are not healthy"),
    ...(haproxy === null ? [] : of(haproxy, null, "through the plugin haproxy")),
  ];
}

function tally({ name, seen }: Run): readonly string[] {
  const counts = new Map<string, number>();
  for (const failure of seen.failures) counts.set(failure, (counts.get(failure) ?? 0) + 1);
  const { requests, stale, streams, told, cut } = seen;
  return [
    `${name}: ${requests} requests, ${seen.failures.length} failed, ${stale} stale, ${streams} streams, ${told} told, ${cut} cut`,
    ...[...counts].map(([failure, count]) => `  ${count} times ${failure}`),
  ];
}

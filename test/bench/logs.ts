import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bench, Figure, Row } from "./frame/figure.ts";
import { alone, compare, interleave } from "./frame/measure.ts";
import { type BenchPlane, openBenchPlane } from "./support/plane.ts";

const PROJECT = "logs";
const BURST = 20_000;
const PACED = 1000;
const RECONNECTS = 100;

/** Writes numbered lines with the time, as many and as fast as it is asked. The clock is the machine's, the same for every process. */
const SERVER = `
const { createServer } = require("node:http");
let next = 0;
const line = () => "seq " + next++ + " at " + process.hrtime.bigint() + " " + "x".repeat(80) + "\\n";
createServer((request, response) => {
  const url = new URL(request.url, "http://a");
  let left = Number(url.searchParams.get("lines") ?? 0);
  const perTick = Number(url.searchParams.get("tick") ?? 0);
  const more = () => {
    const count = perTick > 0 ? Math.min(left, perTick) : Math.min(left, 500);
    let text = "";
    for (let i = 0; i < count; i++) text += line();
    left -= count;
    const done = () => (left > 0 ? (perTick > 0 ? setTimeout(more, 10) : setImmediate(more)) : undefined);
    if (text !== "") process.stdout.write(text, done);
  };
  more();
  response.end(String(next));
}).listen(process.env.PORT);
`;

/** Lines from an application to whoever reads them with `helix logs -f`, and with `docker logs -f`. */
export const figure: Figure = {
  title: "Logs",
  goal: "0 lines lost and 0 doubled over 100 reconnects; a reader that stops reading slows nobody.",
  rounds: 5,
  run: async (bench) => {
    const plane = await openBenchPlane();
    try {
      bench.note(
        "a line of docker's costs its engine, which writes and tells each by itself, as much as all of helix; a service of `process` shows what helix takes by itself",
      );
      const rows: Row[] = [];
      const apps = { process: await openApp(plane, "process"), docker: await openApp(plane, "docker") };
      rows.push(...(await speedRows(bench, plane, apps)));
      for (const app of Object.values(apps)) rows.push(...(await reconnectRows(plane, app)));
      rows.push(...(await stoppedRows(bench, plane, apps.process)));
      return rows;
    } finally {
      await plane.remove();
    }
  },
};

interface App {
  readonly runtime: string;
  readonly project: string;
  readonly address: { readonly host: string; readonly port: number };
}

async function openApp(plane: BenchPlane, runtime: string): Promise<App> {
  const project = `${PROJECT}-${runtime}`;
  const snapshot = await plane.snapshot({ "server.js": SERVER, "package.json": "{}" });
  const web = { source: ".", build: "node", runtime, start: "node server.js" };
  const text = JSON.stringify({ project, services: { web } });
  const { services } = await plane.live(await plane.create({ kind: "deploy", snapshot, manifest: { file: "helix.yaml", text } }));
  return { runtime, project, address: services[0]!.address };
}

/** A line as it arrived. */
interface Arrived {
  readonly seq: number;
  /** From the application's write to here, milliseconds. */
  readonly ms: number;
}

interface Reader {
  readonly lines: Arrived[];
  readonly stop: () => void;
}

const SEQ = /seq (\d+) at (\d+) /g;

function note(lines: Arrived[], text: string): void {
  const now = process.hrtime.bigint();
  for (const [, seq, at] of text.matchAll(SEQ)) lines.push({ seq: Number(seq), ms: Number(now - BigInt(at!)) / 1e6 });
}

/** Cuts what comes into whole lines, so that none is counted half. */
function wholeLines(onText: (text: string) => void): (chunk: string) => void {
  let rest = "";
  return (chunk) => {
    const end = (rest + chunk).lastIndexOf("\n") + 1;
    const all = rest + chunk;
    rest = all.slice(end);
    if (end > 0) onText(all.slice(0, end));
  };
}

async function follow(plane: BenchPlane, { project }: App, lines: Arrived[] = []): Promise<Reader> {
  const answer = await openStream(plane, project, { follow: true, tail: 0 });
  answer.setEncoding("utf8").on(
    "data",
    wholeLines((text) => note(lines, text)),
  );
  return { lines, stop: () => answer.destroy() };
}

interface Opening {
  readonly follow: boolean;
  readonly tail?: number;
  readonly after?: string | null;
}

async function openStream(plane: BenchPlane, project: string, { follow: isFollowing, tail, after }: Opening): Promise<IncomingMessage> {
  const { url } = JSON.parse(await readFile(join(plane.home, "run/control.json"), "utf8")) as { url: string };
  const token = (await readFile(join(plane.home, "keys/local-token"), "utf8")).trim();
  const query = new URLSearchParams({ follow: String(isFollowing), ...(tail !== undefined && { tail: String(tail) }) });
  const headers = { authorization: `Bearer ${token}`, ...(after && { "last-event-id": after }) };
  return new Promise((resolve, reject) => {
    const path = `/v1/projects/${project}/environments/production/services/web/logs?${query}`;
    request(`${url}${path}`, { headers, agent: false }, (answer) => {
      answer.on("error", () => undefined);
      if (answer.statusCode === 200) resolve(answer);
      else reject(new Error(`${path} answered ${answer.statusCode}`));
    })
      .on("error", reject)
      .end();
  });
}

function followDocker(project: string): Reader {
  const [id] = execFileSync("docker", ["ps", "-q", "--filter", `label=helix.project=${project}`], { encoding: "utf8" }).split("\n");
  const child: ChildProcess = spawn("docker", ["logs", "-f", "--tail", "0", id!], { stdio: ["ignore", "pipe", "ignore"] });
  const lines: Arrived[] = [];
  child.stdout!.setEncoding("utf8").on(
    "data",
    wholeLines((text) => note(lines, text)),
  );
  return { lines, stop: () => void child.kill() };
}

/** Asks the application for lines; answers with the number that the next one will have. */
async function ask({ address }: App, { lines, tick = 0 }: { readonly lines: number; readonly tick?: number }): Promise<number> {
  return Number(await (await fetch(`http://${address.host}:${address.port}/?lines=${lines}&tick=${tick}`)).text());
}

/** A reader that begins with what comes gets the first line some time after it has connected; asks until it does. Answers with the next number. */
async function ready(app: App, lines: readonly Arrived[]): Promise<number> {
  while (lines.length === 0) {
    await ask(app, { lines: 1 });
    await sleep(200);
  }
  return ask(app, { lines: 0 });
}

async function untilSeq(lines: readonly Arrived[], seq: number, ms = 60_000): Promise<void> {
  for (const until = performance.now() + ms; (lines.at(-1)?.seq ?? -1) < seq; await sleep(2)) {
    if (performance.now() > until) throw new Error(`line ${seq} did not arrive in ${ms} ms, the last is ${lines.at(-1)?.seq}`);
  }
}

/** How late each of some seconds' lines arrives, at a steady rate. */
async function lateness(app: App, reader: Reader): Promise<readonly number[]> {
  const from = await ready(app, reader.lines);
  await ask(app, { lines: PACED * 2, tick: PACED / 100 });
  await untilSeq(reader.lines, from + PACED * 2 - 1);
  reader.stop();
  return reader.lines.filter(({ seq }) => seq >= from).map(({ ms }) => ms);
}

interface Apps {
  readonly docker: App;
  readonly process: App;
}

async function speedRows({ rounds }: Bench, plane: BenchPlane, { docker: app, process: local }: Apps): Promise<readonly Row[]> {
  const burst = async (reader: Reader, app: App): Promise<number> => {
    const from = await ready(app, reader.lines);
    const began = performance.now();
    await ask(app, { lines: BURST });
    await untilSeq(reader.lines, from + BURST - 1);
    reader.stop();
    return (BURST * 1000) / (performance.now() - began);
  };
  const rate = await interleave(rounds, {
    helix: async () => burst(await follow(plane, app), app),
    docker: () => burst(followDocker(app.project), app),
    process: async () => burst(await follow(plane, local), local),
  });
  const late = await interleave(rounds, {
    helix: async () => lateness(app, await follow(plane, app)),
    docker: () => lateness(app, followDocker(app.project)),
  });
  const against = "docker logs -f";
  const shared = { name: `write to reader at ${PACED} lines a second`, unit: "ms", helix: late.helix, peer: late.docker, against };
  return [
    compare({ name: "lines a second", unit: "/s", helix: rate.helix, peer: rate.docker, against }),
    compare({ name: "lines a second of a process", unit: "/s", helix: rate.process, peer: rate.docker, against }),
    compare({ ...shared, name: `${shared.name}, p50` }),
    compare({ ...shared, name: `${shared.name}, p99`, share: 0.99 }),
  ];
}

/** One reader after the other, each from the last line that the one before had, while lines come. */
async function reconnectRows(plane: BenchPlane, app: App): Promise<readonly Row[]> {
  const total = RECONNECTS * 40;
  const seqs: number[] = [];
  let after: string | null = null;
  const first = await openStream(plane, app.project, { follow: true, tail: 0 });
  first.setEncoding("utf8").on(
    "data",
    wholeEvents((event) => (after ??= /^id: (.*)$/m.exec(event)?.[1] ?? null)),
  );
  const lines: Arrived[] = [];
  first.on(
    "data",
    wholeLines((text) => note(lines, text)),
  );
  const start = await ready(app, lines);
  first.destroy();
  let connections = 0;
  const asked = ask(app, { lines: total, tick: 5 });
  const until = performance.now() + 120_000;
  while ((seqs.at(-1) ?? 0) < start + total - 1 && performance.now() < until) {
    connections += 1;
    const answer: IncomingMessage = await openStream(plane, app.project, { follow: true, after });
    const isLast = connections > RECONNECTS;
    let isOpen = true;
    const read = wholeEvents((event) => {
      if (!isOpen) return;
      after = /^id: (.*)$/m.exec(event)?.[1] ?? after;
      for (const [, seq] of event.matchAll(SEQ)) if (Number(seq) >= start) seqs.push(Number(seq));
    });
    answer.setEncoding("utf8").on("data", read);
    const begun = seqs.length;
    for (const patience = performance.now() + 5000; seqs.length < begun + 30 || isLast; await sleep(1)) {
      if (performance.now() > patience || (seqs.at(-1) ?? 0) >= start + total - 1) break;
    }
    isOpen = false;
    answer.destroy();
  }
  await asked;
  const distinct = new Set(seqs);
  const lost = total - distinct.size;
  const n = connections;
  return [
    alone({ name: `lines lost of ${total}, ${app.runtime}`, unit: "", n, value: lost }, { of: "helix", most: 0 }),
    alone({ name: `lines doubled of ${total}, ${app.runtime}`, unit: "", n, value: seqs.length - distinct.size }, { of: "helix", most: 0 }),
  ];
}

function wholeEvents(onEvent: (event: string) => void): (chunk: string) => void {
  let rest = "";
  return (chunk) => {
    const events = (rest + chunk).split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) onEvent(event);
  };
}

/** A reader whose socket is full all the time, beside one that reads. */
async function stoppedRows({ rounds }: Bench, plane: BenchPlane, app: App): Promise<readonly Row[]> {
  const once = async (hasStopped: boolean): Promise<readonly number[]> => {
    const stopped = hasStopped ? await openStream(plane, app.project, { follow: true, tail: 0 }) : null;
    stopped?.pause();
    if (stopped) await ask(app, { lines: BURST });
    await sleep(1500);
    const times = await lateness(app, await follow(plane, app));
    stopped?.destroy();
    return times;
  };
  const late = await interleave(rounds, { stopped: () => once(true), none: () => once(false) });
  const shared = { unit: "ms", helix: late.stopped, peer: late.none, against: "no such reader" };
  return [
    compare({ name: "write to reader beside one that has stopped reading, p50", ...shared }, { of: "ratio", most: 1.5 }),
    compare({ name: "write to reader beside one that has stopped reading, p99", ...shared, share: 0.99 }),
  ];
}

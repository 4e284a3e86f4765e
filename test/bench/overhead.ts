import { createRequire } from "node:module";
import type Docker from "dockerode";
import pg from "pg";
import type { Figure, Row } from "./frame/figure.ts";
import { alone, compare, interleave, quantile } from "./frame/measure.ts";
import { type Address, BESIDE_ANOTHER, until } from "./support/http.ts";
import { type BenchPlane, openBenchPlane } from "./support/plane.ts";
import { type Span, covered, spansBetween } from "./support/spans.ts";

const Engine = createRequire(new URL("../../plugins/docker/package.json", import.meta.url))("dockerode") as typeof Docker;
const PROJECT = "overhead";
const SERVER = `require("node:http").createServer((_, response) => response.end(process.env.ROUND)).listen(process.env.PORT);\n`;

/** From the API's accept to the first answer through the router, for an image that is there; and the same container made by hand. */
export const figure: Figure = {
  title: "What a deploy costs on top of Docker",
  goal: "at most 1.05 times the raw calls on the Docker Engine API to their first 200; the engine's own part at most 10 ms p50 and 25 ms p99",
  rounds: 30,
  async run({ rounds, note, database }) {
    const plane = await openBenchPlane();
    const ledger = new pg.Client({ connectionString: await plane.databaseUrl() });
    try {
      await database(await plane.databaseUrl());
      await ledger.connect();
      const app = await prepare(plane);
      const own: number[] = [];
      const parts = new Map<string, number[]>();
      const measured = await interleave(rounds + 2, {
        helix: async (round) => {
          const { ms, from, to, deployment } = await deployOnce(plane, { app, round });
          await plane.live(deployment);
          const spans = await spansBetween(plane.trace, { from, to });
          const waited = await healthWait(ledger, deployment);
          if (round >= 2) own.push(ms - theirs(parts, { spans, waited }));
          await plane.settled(PROJECT);
          return ms;
        },
        raw: () => raw(app),
      });
      for (const [name, values] of [...parts].toSorted(([, a], [, b]) => sum(b) - sum(a)))
        note(`${name}: ${(sum(values) / own.length).toFixed(2)} ms a deploy, ${(values.length / own.length).toFixed(1)} calls`);
      note(
        "the engine's part is the request, the claim and four commits, each on disk before the next call is made, their small statements, built and read in JavaScript, and three policy decisions with their inputs; " +
          "what would shorten it most is one stored procedure a commit in place of a statement a row",
      );
      return rowsOf({ helix: measured.helix.slice(2), raw: measured.raw.slice(2), own });
    } finally {
      await ledger.end();
      await plane.remove();
    }
  },
};

function rowsOf({ helix, raw: peer, own }: { helix: number[][]; raw: number[][]; own: readonly number[] }): readonly Row[] {
  const against = "create, start and ask by hand";
  return [
    compare({ name: "accept to first 200, p50", unit: "ms", helix, peer, against }, { of: "ratio", most: 1.05 }),
    compare({ name: "accept to first 200, p99", unit: "ms", helix, peer, against, share: 0.99 }),
    alone({ name: "the engine's own part, p50", unit: "ms", n: own.length, value: quantile(own, 0.5) }, { of: "helix", most: 10 }),
    alone({ name: "the engine's own part, p99", unit: "ms", n: own.length, value: quantile(own, 0.99) }, { of: "helix", most: 25 }),
  ];
}

interface App {
  readonly snapshot: string;
  readonly address: Address;
  readonly docker: Docker;
  /** The container that the plane made, as the engine shows it: the raw side makes the same. */
  readonly model: Docker.ContainerInspectInfo;
}

/** A base image of the machine's own files, an image with the application on it, and its first deploy. */
async function prepare(plane: BenchPlane): Promise<App> {
  const docker = new Engine({ socketPath: "/var/run/docker.sock" });
  const bundle = await plane.snapshot({ "server.js": SERVER, "package.json": "{}" });
  const first = await plane.create({
    kind: "deploy",
    snapshot: bundle,
    manifest: manifest("base", { build: "node", start: "node server.js" }),
  });
  await plane.live(first);
  const base = (await containerOf(docker, "base")).Config.Image;
  const snapshot = await plane.snapshot({
    Dockerfile: `FROM ${base}\nCOPY server.js /server.js\nCMD ["node", "/server.js"]\n`,
    "server.js": SERVER,
  });
  const { services } = await plane.live(await plane.create(deployBody(snapshot, "first")));
  return { snapshot, address: services[0]!.address, docker, model: await containerOf(docker, PROJECT) };
}

async function containerOf(docker: Docker, project: string): Promise<Docker.ContainerInspectInfo> {
  const [found] = await docker.listContainers({ filters: { label: [`helix.project=${project}`, "helix.kind=revision"] } });
  return docker.getContainer(found!.Id).inspect();
}

function deployBody(snapshot: string, round: string): object {
  return { kind: "deploy", snapshot, manifest: manifest(PROJECT, { build: "dockerfile", env: { ROUND: round }, drain: "1s" }) };
}

function manifest(project: string, service: object): object {
  const web = { source: ".", runtime: "docker", ...service };
  return { file: "helix.yaml", text: JSON.stringify({ project, services: { web }, rollback: { keep: 0, for: "1s" } }) };
}

async function deployOnce(plane: BenchPlane, { app, round }: { app: App; round: number }) {
  const from = performance.timeOrigin + performance.now();
  const began = performance.now();
  const deployment = await plane.create(deployBody(app.snapshot, `round ${round}`));
  await until(app.address, `round ${round}`, { pauseMs: BESIDE_ANOTHER });
  return { ms: performance.now() - began, from, to: performance.timeOrigin + performance.now(), deployment };
}

/** The same container, on the same network, made by hand. Removed when the clock has stopped. */
async function raw({ docker, model }: App): Promise<number> {
  const { Config, HostConfig } = model;
  const network = HostConfig.NetworkMode!;
  const address = `${model.NetworkSettings.Networks[network]!.Gateway.split(".").slice(0, 3).join(".")}.254`;
  const began = performance.now();
  const container = await docker.createContainer({
    Image: Config.Image,
    Env: Config.Env.map((entry) => (entry.startsWith("ROUND=") ? "ROUND=raw" : entry)),
    StopSignal: "SIGTERM",
    HostConfig,
    NetworkingConfig: { EndpointsConfig: { [network]: { IPAMConfig: { IPv4Address: address } } } },
  });
  await container.start();
  await until({ host: address, port: 8080 }, "raw");
  const ms = performance.now() - began;
  await container.remove({ force: true, v: true });
  return ms;
}

/** How long the new container was asked before it answered. */
async function healthWait(ledger: pg.Client, deployment: string): Promise<number> {
  const query = "select (outcome->>'waitedMs')::float8 as waited from helix.step where deployment = $1 and kind = 'verify'";
  const { rows } = await ledger.query<{ waited: number }>(query, [deployment]);
  return rows[0]?.waited ?? 0;
}

/** What was not the engine's: the provider's calls, and the application's own start. Looks during that start count with it. */
function theirs(parts: Map<string, number[]>, { spans, waited }: { spans: readonly Span[]; waited: number }): number {
  for (const { name, ms } of spans) parts.set(name, [...(parts.get(name) ?? []), ms]);
  const apply = spans.find(({ name }) => name === "runtime.apply");
  const calls = spans.filter(
    ({ name, at }) => /^(build|runtime|delivery)\./.test(name) && (name !== "runtime.observe" || at < (apply?.at ?? 0)),
  );
  return covered(calls) + waited;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

import pg from "pg";
import { hasRedis, startRedis } from "../../packages/core/test/support/redis.ts";
import type { Bench, Figure, Row } from "./frame/figure.ts";
import { alone, compare, quantile } from "./frame/measure.ts";
import { nullProject } from "./support/null-project.ts";
import { type BenchPlane, openBenchPlane } from "./support/plane.ts";
import { rawSteps } from "./support/raw-steps.ts";
import { covered, spansBetween } from "./support/spans.ts";

/** Deploys that make nothing real: what the pipeline costs by itself. */
export const figure: Figure = {
  title: "The pipeline, with a provider that does nothing",
  goal: "eight durable steps 2.5 ms above the same inserts made raw; 600 null deploys a second on both backends",
  rounds: 40,
  async run(bench) {
    bench.note(
      "above the raw inserts are the guard of each commit, the events, the decisions with their whole input, the reads that a successor would make as well, and the calls of a plugin; a deploy is followed by a cleanup of about the same cost, and both share two processors with the database",
    );
    const embedded = await onBackend(bench, { backend: "postgres", env: {} });
    if (!hasRedis()) {
      bench.note("the Redis backend was not measured: redis-server is not on the PATH");
      return embedded;
    }
    const redis = await startRedis();
    try {
      return [...embedded, ...(await onBackend(bench, { backend: "redis", env: { REDIS_URL: redis.url } }))];
    } finally {
      await redis.stop();
    }
  },
};

async function onBackend(
  bench: Bench,
  { backend, env }: { backend: string; env: Readonly<Record<string, string>> },
): Promise<readonly Row[]> {
  const plane = await openBenchPlane(env);
  const ledger = new pg.Pool({ connectionString: await plane.databaseUrl(), max: 2 });
  ledger.on("error", () => {});
  try {
    await bench.database(await plane.databaseUrl());
    return [...(await oneByOne(bench, { plane, ledger, backend })), await manyAtOnce(bench, { plane, ledger, backend })];
  } finally {
    await ledger.end();
    await plane.remove();
  }
}

interface Side {
  readonly plane: BenchPlane;
  readonly ledger: pg.Pool;
  readonly backend: string;
}

/** From the claim to the verdict, beside the same rows written by hand. */
async function oneByOne({ rounds, note }: Bench, { plane, ledger, backend }: Side): Promise<readonly Row[]> {
  const project = await nullProject(plane);
  const hand = await ledger.connect();
  const raw = await rawSteps(hand);
  const [helix, peer, waits]: number[][][] = [[], [], []];
  const parts = new Map<string, number[]>();
  const others: number[] = [];
  for (let round = -20; round < rounds; round++) {
    const deployment = await project.ask("steps", `round ${round}`);
    await plane.live(deployment);
    const run = await runOf(ledger, deployment);
    const ms = await raw();
    if (round < 0) continue;
    helix!.push([run.ms]);
    waits!.push([run.waited]);
    peer!.push([ms]);
    const spans = await spansBetween(plane.trace, { from: run.from, to: run.from + run.ms });
    for (const span of spans) parts.set(span.name, [...(parts.get(span.name) ?? []), span.ms]);
    others.push(run.ms - covered(spans));
  }
  hand.release();
  noteParts(note, { parts, others, backend, rounds });
  const name = `${backend}: claim to verdict`;
  const above = helix!.map(([ms], round) => ms! - peer![round]![0]!);
  return [
    compare({ name, unit: "ms", helix: helix!, peer: peer!, against: "the same rows by hand" }),
    alone({ name: `${name}, above the raw inserts`, unit: "ms", n: rounds, value: quantile(above, 0.5) }, { of: "helix", most: 2.5 }),
    alone({ name: `${backend}: accept to claim`, unit: "ms", n: rounds, value: quantile(waits!.flat(), 0.5) }),
  ];
}

function noteParts(
  note: Bench["note"],
  { parts, others, backend, rounds }: { parts: Map<string, readonly number[]>; others: readonly number[]; backend: string; rounds: number },
): void {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const top = [...parts].toSorted(([, a], [, b]) => sum(b) - sum(a)).slice(0, 12);
  const told = top.map(
    ([name, values]) => `${name} ${(sum(values) / rounds).toFixed(1)} ms in ${(values.length / rounds).toFixed(1)} calls`,
  );
  note(`${backend}, a deploy: ${told.join(", ")}; in no call ${(sum(others) / rounds).toFixed(1)} ms`);
}

/** Fifty projects at once, six deploys each, one after the other. */
async function manyAtOnce({ note }: Bench, { plane, ledger, backend }: Side): Promise<Row> {
  const project = await nullProject(plane);
  const [projects, each] = [50, 6];
  const began = performance.now();
  await Promise.all(
    Array.from({ length: projects }, async (_, p) => {
      for (let i = 0; i < each; i++) await ended(ledger, await project.ask(`many-${p}`, `round ${i}`));
    }),
  );
  const perSecond = (projects * each) / ((performance.now() - began) / 1000);
  note(`${backend}: ${projects * each} deploys of ${projects} projects`);
  return alone(
    { name: `${backend}: null deploys a second`, unit: "/s", n: projects * each, value: perSecond },
    { of: "helix", least: 600 },
  );
}

/** Asked of the ledger: the API shall not be what is measured. */
async function ended(ledger: pg.Pool, deployment: string): Promise<void> {
  for (;;) {
    const { rows } = await ledger.query<{ state: string }>("select state from helix.deployment where id = $1", [deployment]);
    if (rows[0]!.state === "live") return;
    if (rows[0]!.state === "failed") throw new Error(`${deployment} failed`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function runOf(ledger: pg.Pool, deployment: string): Promise<{ from: number; ms: number; waited: number }> {
  const query = `select extract(epoch from started_at)::float8 * 1000 as from, extract(epoch from ended_at - started_at)::float8 * 1000 as ms,
    extract(epoch from started_at - created_at)::float8 * 1000 as waited from helix.deployment where id = $1`;
  const { rows } = await ledger.query<{ from: number; ms: number; waited: number }>(query, [deployment]);
  return rows[0]!;
}

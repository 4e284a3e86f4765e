import { afterAll, beforeAll, expect, test } from "vitest";
import type { Manifest } from "../../src/domain/manifest.ts";
import type { DeploymentRequest } from "../../src/domain/plan.ts";
import { isTerminal } from "../../src/domain/states.ts";
import type { DeploymentRecord } from "../../src/ports/index.ts";
import { type Bench, newBench } from "../support/bench.ts";
import { manifest } from "../support/manifests.ts";
import { mortalEngine } from "../support/mortal.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { wakeUps } from "../support/run.ts";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

const DATA = { data: { path: "/data", writers: "single" } } as const;
/** Answered by the bench's server, whose status is a dial. */
const answering = ({ port }: Bench) => ({
  options: { memory: { endpoint: { host: "127.0.0.1", port } } },
  health: { path: null, timeoutMs: 80 },
});

interface Scenario {
  /** What is live before. */
  readonly before?: readonly Manifest[];
  readonly request: (environment: string) => Promise<Partial<DeploymentRequest>>;
  /** What the bench's server answers while the request is carried out. */
  readonly status?: number;
  readonly expected: readonly string[];
  readonly running: readonly string[];
  /** Keep a death during a task apart: nobody knows how it ended. */
  readonly unknownTask?: { readonly running: readonly string[] };
}

const deploy = (manifest: Manifest) => async () => ({ manifest });
const first = () => manifest({ web: { volumes: DATA, tasks: { migrate: "migrate" } }, api: { needs: ["web"] } });

const SCENARIOS: Record<string, (bench: Bench) => Scenario> = {
  "a first deploy": () => ({
    request: deploy(first()),
    expected: ["live"],
    running: ["api running", "web running"],
    unknownTask: { running: [] },
  }),
  "a hand-over": () => ({
    before: [first()],
    request: deploy(manifest({ web: { volumes: DATA, tasks: { migrate: "migrate" }, env: { A: "2" } }, api: { needs: ["web"] } })),
    expected: ["live"],
    running: ["api running", "web running"],
    unknownTask: { running: ["api running", "web running"] },
  }),
  "a hand-over that fails": (bench) => ({
    before: [manifest({ web: { volumes: DATA }, api: {} })],
    request: deploy(manifest({ web: { volumes: DATA, ...answering(bench) }, api: { env: { A: "2" } } })),
    status: 503,
    expected: ["failed"],
    running: ["api running", "web running"],
  }),
  "a first deploy that fails": (bench) => ({
    request: deploy(manifest({ web: answering(bench), api: { needs: ["web"] } })),
    status: 503,
    expected: ["failed"],
    running: [],
  }),
  "a warm rollback": (bench) => ({
    before: [manifest({ web: {}, api: {} }), manifest({ web: { env: { A: "2" } }, api: {} })],
    request: async (environment) => ({ kind: "rollback", toRelease: (await releases(bench, environment)).at(-1)! }),
    expected: ["live"],
    running: ["api running", "web frozen", "web running"],
  }),
  "a destroy": () => ({
    before: [first()],
    request: async () => ({ kind: "destroy", withData: true }),
    expected: ["live"],
    running: [],
  }),
};

test.concurrent.each(Object.keys(SCENARIOS))("%s ends as it should, wherever its worker dies", { timeout: 300_000 }, async (name) => {
  const bench = await newBench(postgres);
  const doubles = watchDoubles(bench);
  const scenario = SCENARIOS[name]!(bench);
  let deaths = 0;
  for (let boundary: string | null = ""; boundary !== null; deaths++) {
    const environment = `${name.replaceAll(" ", "-")}-${deaths}`;
    // Each time anew: a destroy takes the source that nobody else uses along.
    const { digest: snapshot } = await bench.snapshot({ "index.js": "1" });
    for (const manifest of scenario.before ?? []) {
      await bench.ask({ manifest, snapshot }, { environment });
      await bench.work();
    }
    bench.dials.status = scenario.status ?? 200;
    const { id } = await bench.ask({ snapshot, ...(await scenario.request(environment)) }, { environment });
    boundary = await dieOnce(bench, deaths + 1);
    await bench.work("wrk_successor");
    bench.dials.status = 200;
    await check(bench, (await bench.ledger.deployment(bench.scope, id))!, { scenario, environment, at: `${deaths + 1}: ${boundary}` });
  }
  expect(deaths).toBeGreaterThan(10);
  expect(doubles).toEqual([]);
  await bench.close();
});

/** Moments at which two revisions of one service were at work on its volume. */
function watchDoubles(bench: Bench): readonly string[] {
  const doubles: string[] = [];
  bench.dials.onCall = async (call) => {
    const writing = Object.values((await bench.world()).revisions).filter(
      ({ phase, spec }) => phase === "running" && spec.volumes.length > 0,
    );
    const units = writing.map(({ identity }) => `${identity.names.environment} ${identity.names.service}`);
    if (new Set(units).size < units.length) doubles.push(`at ${call.verb}: ${units.join(", ")}`);
  };
  return doubles;
}

/** One worker that dies at a boundary, and the proof of it. Null when it got to the end before that. */
async function dieOnce(bench: Bench, dieAt: number): Promise<string | null> {
  const mortal = mortalEngine(bench.deps, dieAt);
  const work = async () => {
    for (let jobs = await wakeUps(bench.ledger); jobs.length > 0; jobs = await wakeUps(bench.ledger)) {
      for (const job of jobs) await mortal.engine.runJob(job, "wrk_mortal", new AbortController().signal);
    }
    return null;
  };
  const boundary = await Promise.race([mortal.died, work()]);
  for (const { organization, run, worker } of await bench.ledger.heldRuns()) {
    await bench.ledger.takeAway({ organization, run }, { from: worker, limit: 25, reason: "killed" });
  }
  for (const job of await bench.ledger.overdueRuns(0)) await bench.engine.runJob(job, "wrk_successor", new AbortController().signal);
  return boundary;
}

async function check(
  bench: Bench,
  deployment: DeploymentRecord,
  { scenario, environment, at }: { scenario: Scenario; environment: string; at: string },
) {
  const isUnknownTask = deployment.error?.code === "TASK_UNKNOWN_END" && scenario.unknownTask !== undefined;
  expect(isTerminal(deployment.state), at).toBe(true);
  if (!isUnknownTask) expect(scenario.expected, `${at}: ${JSON.stringify(deployment.error)}`).toContain(deployment.state);
  const { revisions } = await bench.world();
  const mine = Object.values(revisions).filter(({ identity }) => identity.names.environment === environment);
  const running = mine.map(({ identity, phase }) => `${identity.names.service} ${phase}`).toSorted();
  expect(running, at).toEqual(isUnknownTask ? scenario.unknownTask.running : scenario.running);
  const inLedger = await bench.ledger.listRevisions(bench.scope, { environment: deployment.environment });
  expect(new Set(inLedger.map(({ id }) => id)), at).toEqual(new Set(mine.map(({ identity }) => identity.revision)));
  expect(
    inLedger.every(({ state }) => state === "serving" || state === "warm"),
    at,
  ).toBe(true);
  await checkTables(bench, deployment, at);
  const runs = bench.calls.filter(({ verb, operationId }) => verb === "run" && operationId.includes(deployment.id));
  expect(runs.length, at).toBeLessThanOrEqual(1);
  expect((await bench.ledger.environment(bench.scope, deployment.environment))!.activeDeployment, at).toBeNull();
}

/** What is served is what the ledger says, reaches what serves, and holds nothing back. */
async function checkTables(bench: Bench, { environment }: DeploymentRecord, at: string) {
  const { tables } = await bench.world();
  const [record] = await bench.ledger.routeTables(bench.scope, { environment });
  const served = record ? tables[record.unit]?.table : undefined;
  expect(served ?? null, at).toEqual(record?.table ?? null);
  const serving = await bench.ledger.listRevisions(bench.scope, { environment, states: ["serving"] });
  const targets = (served?.routes ?? []).flatMap((route) => route.targets.map(({ revision }) => revision));
  expect(new Set(targets), at).toEqual(new Set(serving.map(({ id }) => id)));
  expect(
    (served?.routes ?? []).every(({ holdMs }) => holdMs === null),
    at,
  ).toBe(true);
}

async function releases(bench: Bench, name: string): Promise<readonly string[]> {
  const environment = (await bench.ledger.findEnvironment(bench.scope, { project: "shop", environment: name }))!;
  const { items } = await bench.ledger.listReleases(bench.scope, { environment: environment.id, limit: 10 });
  return items.map(({ id }) => id);
}

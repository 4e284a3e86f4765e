import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type PluginDefinition, Secret } from "@helixstack/sdk";
import memory from "../../../../plugins/memory/src/index.ts";
import { readWorld, type World } from "../../../../plugins/memory/src/world.ts";
import { openFileLogStore, openFolderArtifactStore, openFolderSourceStore } from "../../src/adapters/stores/index.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { EngineError } from "../../src/domain/errors.ts";
import type { Manifest } from "../../src/domain/manifest.ts";
import type { DeploymentRequest } from "../../src/domain/plan.ts";
import { type Engine, type EngineDeps, createEngine } from "../../src/engine/index.ts";
import type { Decision, DeploymentRecord, EnvironmentRecord, Ledger, PluginCall, SnapshotEntry } from "../../src/ports/index.ts";
import type { DecisionPoint, Scope } from "../../src/ports/index.ts";
import { type OnCall, directDispatcher } from "./direct-dispatcher.ts";
import { newLedger } from "./ledger.ts";
import type { TestPostgres } from "./postgres.ts";
import { wakeUps } from "./run.ts";

/** The engine on a real ledger and real stores, with the memory plugin as the world. */
export interface Bench {
  readonly deps: EngineDeps;
  readonly engine: Engine;
  readonly ledger: Ledger;
  /** The ledger's database. */
  readonly url: string;
  readonly scope: Scope;
  /** What tests change while it runs. */
  readonly dials: Dials;
  /** Every call that reached a plugin, in order. */
  readonly calls: PluginCall[];
  /** A web server that answers with `dials.status`: what services of `answering` are reached at. */
  readonly port: number;
  world(): Promise<World>;
  /** Records what was asked for, without running it. */
  ask(request: Partial<DeploymentRequest>, options?: AskOptions): Promise<DeploymentRecord>;
  /** Puts files into the source store. */
  snapshot(files: Readonly<Record<string, string>>): Promise<{ readonly digest: string; readonly entries: readonly SnapshotEntry[] }>;
  /** Runs everything that is due, as one worker. */
  work(worker?: string, signal?: AbortSignal): Promise<void>;
  /** Records a deploy and runs everything that is due. */
  deploy(manifest: Manifest, options?: AskOptions & { readonly files?: Readonly<Record<string, string>> }): Promise<DeploymentRecord>;
  rollback(release: string): Promise<DeploymentRecord>;
  destroy(options?: { readonly withData?: boolean }): Promise<DeploymentRecord>;
  environment(): Promise<EnvironmentRecord>;
  /** `service state` of every revision that is in the ledger, sorted. */
  revisions(): Promise<readonly string[]>;
  /** `service phase` of every revision in the world, sorted. */
  running(): Promise<readonly string[]>;
  steps(deployment: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface AskOptions {
  readonly deadlineMs?: number;
  readonly environment?: string;
}

export interface Dials {
  status: number;
  /** What the next answers are before that. */
  first: number[];
  onCall: OnCall;
  decide: (point: DecisionPoint, input: Readonly<Record<string, unknown>>) => Decision;
  secrets: Record<string, { version: string; value: string }>;
}

const FILES = { "index.js": "console.log('hello')" };

export async function newBench(
  postgres: TestPostgres,
  { plugins = [memory as unknown as PluginDefinition], wrap = (ledger) => ledger }: BenchOptions = {},
): Promise<Bench> {
  const root = await mkdtemp(join(tmpdir(), "helix-engine-"));
  const { ledger: real, scope, url } = await newLedger(postgres);
  const ledger = wrap(real);
  const calls: PluginCall[] = [];
  const dials: Dials = {
    status: 200,
    first: [],
    onCall: () => {},
    decide: () => ({ allow: true, findings: [], bundle: "none" }),
    secrets: {},
  };
  const onCall: OnCall = async (call) => {
    calls.push(call);
    await dials.onCall(call);
  };
  const { dispatcher, registry } = directDispatcher(plugins, { root, onCall });
  await mkdir(join(root, "temp"));
  const deps: EngineDeps = {
    ledger,
    sources: await openFolderSourceStore({ root: join(root, "sources") }),
    artifacts: await openFolderArtifactStore({ root: join(root, "artifacts") }),
    logs: await openFileLogStore({ root: join(root, "logs") }),
    policy: { decide: async (point, input) => dials.decide(point, input) },
    secrets: {
      async pin(_, { names }) {
        const missing = names.filter((name) => !dials.secrets[name]);
        if (missing.length > 0) throw new EngineError("SECRET_MISSING", `${missing.join(", ")} has no value`);
        return names.map((name) => ({ name, version: dials.secrets[name]!.version }));
      },
      read: async (_, { ref }) => new Secret(dials.secrets[ref.name]!.value),
    },
    dispatcher,
    plugins: registry,
    clock: systemClock,
    logger: quiet,
    temp: join(root, "temp"),
    platform: "linux/amd64",
  };
  const engine = createEngine(deps);
  const server = await answering(() => dials.first.shift() ?? dials.status);
  return { ...benchOn({ deps, engine, scope, url, root, real, server }), calls, dials };
}

export interface BenchOptions {
  readonly plugins?: readonly PluginDefinition[];
  readonly wrap?: (ledger: Ledger) => Ledger;
}

interface Parts {
  readonly deps: EngineDeps;
  readonly engine: Engine;
  readonly scope: Scope;
  readonly url: string;
  readonly root: string;
  readonly real: Ledger;
  readonly server: Server;
}

function benchOn({ deps, engine, scope, url, root, real, server }: Parts): Omit<Bench, "calls" | "dials"> {
  const world = () => readWorld(join(root, "homes", "memory"));
  const names = { project: "shop", environment: "production" };
  const bench: Omit<Bench, "calls" | "dials"> = {
    deps,
    engine,
    ledger: real,
    url,
    scope,
    port: (server.address() as AddressInfo).port,
    world,
    async ask(request, { deadlineMs = 60_000, environment = "production" } = {}) {
      const whole: DeploymentRequest = { kind: "deploy", manifest: null, snapshot: null, toRelease: null, withData: false, ...request };
      const { deployment } = await real.createDeployment(scope, {
        project: "shop",
        environment,
        request: whole,
        message: null,
        deadlineMs,
        idempotency: null,
      });
      return deployment;
    },
    snapshot: (files) => store(deps, files),
    async work(worker = "wrk_a", signal = new AbortController().signal) {
      while (!signal.aborted) {
        const jobs = await wakeUps(real);
        if (jobs.length === 0) return;
        await Promise.all(jobs.map((job) => engine.runJob(job, worker, signal)));
      }
    },
    async deploy(manifest, { files = FILES, ...options } = {}) {
      const { digest } = await store(deps, files);
      const { id } = await bench.ask({ manifest, snapshot: digest }, options);
      await bench.work();
      return (await real.deployment(scope, id))!;
    },
    async rollback(release) {
      const { id } = await bench.ask({ kind: "rollback", toRelease: release });
      await bench.work();
      return (await real.deployment(scope, id))!;
    },
    async destroy({ withData = false } = {}) {
      const { id } = await bench.ask({ kind: "destroy", withData });
      await bench.work();
      return (await real.deployment(scope, id))!;
    },
    environment: async () => (await real.findEnvironment(scope, names))!,
    revisions: async () => (await real.listRevisions(scope, {})).map(({ service, state }) => `${service} ${state}`).toSorted(),
    running: async () =>
      Object.values((await world()).revisions)
        .map(({ identity, phase }) => `${identity.names.service} ${phase}`)
        .toSorted(),
    steps: async (deployment) => (await real.steps(scope, deployment)).map(({ id, state }) => `${id} ${state}`),
    async close() {
      server.close();
      await real.close();
      await rm(root, { recursive: true, force: true });
    },
  };
  return bench;
}

async function store(deps: EngineDeps, files: Readonly<Record<string, string>>) {
  const entries = Object.entries(files).map(([path, content]): SnapshotEntry => {
    const digest = `sha256:${createHash("sha256").update(content).digest("hex")}` as const;
    return { path, type: "file", mode: "644", size: Buffer.byteLength(content), digest };
  });
  for (const [path, content] of Object.entries(files)) {
    const entry = entries.find((one) => one.path === path)!;
    if (entry.type === "file") await deps.sources.putBlob(entry.digest, Readable.from([content]));
  }
  const snapshot = await deps.sources.putSnapshot(entries);
  return { digest: snapshot.digest, entries: snapshot.entries };
}

async function answering(status: () => number): Promise<Server> {
  const server = createServer((_, response) => response.writeHead(status()).end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

const quiet = {
  debug() {},
  info() {},
  warn() {},
  error: (message: string, fields?: unknown) => process.env["DEBUG"] && process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
} as unknown as EngineDeps["logger"];

// `npx tsx test/bench/policy.ts [rounds]`: one decision on an input of 100 KB, three ways, interleaved in one run: through the engine's adapter, through
// raw opa-wasm, and through `opa run -s` over HTTP (where the program `opa` is: HELIX_OPA or PATH). Prints p50 and p99, and the ratios.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRequire } from "node:module";
import { createOpaPolicy } from "../../packages/core/src/adapters/opa/index.ts";
import { builtins } from "../../packages/core/src/adapters/opa/builtins.ts";
import { guardrails, opa } from "../guardrails/support/opa.ts";
import { ENTRYPOINT, shippedPack } from "../guardrails/support/packs.ts";

const ROUNDS = Number(process.argv[2] ?? 300);
const WARM = 30;
const BYTES = 100_000;
const GOALS = { wasm: 1.5, server: 4 };
const { loadPolicy } = createRequire(new URL("../../packages/core/package.json", import.meta.url))("@open-policy-agent/opa-wasm") as {
  loadPolicy: (
    wasm: Buffer,
    memory: object,
    functions: object,
  ) => Promise<{ setData(data: object): void; evaluate(input: unknown, entrypoint: string): unknown }>;
};

const input = largeInput();
const ways: Record<string, () => Promise<unknown>> = {};
const { wasm, data } = await shippedPack("production");

const none = await mkdtemp(join(tmpdir(), "helix-bench-"));
const policy = createOpaPolicy({
  shipped: join(guardrails, "bundles"),
  installed: join(none, "a"),
  kept: join(none, "b"),
  keys: join(none, "c"),
});
ways["engine"] = async () => {
  const { allow } = await policy.decide("plan", { ...input, time: new Date().toISOString() });
  if (allow) throw new Error("the engine allows what it should refuse");
};

const raw = await loadPolicy(wasm, { initial: 5 }, builtins(Date.now));
raw.setData(data);
ways["raw opa-wasm"] = async () => check((raw.evaluate(input, ENTRYPOINT) as [{ result: { allow: boolean } }])[0].result);

const server = opa ? await startServer() : null;
if (server)
  ways["opa run -s"] = async () => check(((await server.ask(JSON.stringify({ input }))) as { result: { allow: boolean } }).result);

const times: Record<string, number[]> = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
for (let round = -WARM; round < ROUNDS; round++) {
  for (const [name, way] of Object.entries(ways)) {
    const started = performance.now();
    await way();
    if (round >= 0) times[name]!.push(performance.now() - started);
  }
}
server?.stop();
await policy.close();
await rm(none, { recursive: true, force: true });
report();

function report(): void {
  const at = (name: string, share: number) => times[name]!.toSorted((a, b) => a - b)[Math.floor((ROUNDS - 1) * share)]!;
  print(`decisions on ${(JSON.stringify(input).length / 1000).toFixed(0)} KB, ${ROUNDS} rounds each, interleaved, node ${process.version}`);
  for (const name of Object.keys(ways))
    print(`${name.padEnd(14)} p50 ${at(name, 0.5).toFixed(2)} ms   p99 ${at(name, 0.99).toFixed(2)} ms`);
  const perRaw = at("engine", 0.5) / at("raw opa-wasm", 0.5);
  print(`engine / raw   ${perRaw.toFixed(2)} (goal: at most ${GOALS.wasm})`);
  if (!server) return print("opa run -s     not measured: the program opa is not here");
  const perServer = at("opa run -s", 0.5) / at("engine", 0.5);
  print(`server / engine ${perServer.toFixed(2)} (goal: at least ${GOALS.server})`);
  if (perRaw > GOALS.wasm || perServer < GOALS.server) process.exitCode = 1;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function check({ allow }: { readonly allow: boolean }): void {
  if (allow) throw new Error("it allows what it should refuse");
}

/** Ten services with many variables, a plan, and a history: what a large project sends. */
function largeInput(): Record<string, unknown> {
  const service = (i: number) => ({
    source: ".",
    build: "node",
    runtime: "process",
    delivery: "router",
    start: "node server.js",
    env: Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`SETTING_${n}`, `value ${i} of setting ${n} in words`])),
    secrets: [],
    health: { path: i === 0 ? null : "/health", timeoutMs: 60_000 },
    needs: [],
    volumes: {},
    filesystem: "writable",
    tasks: {},
    replicas: 2,
    resources: { memoryBytes: 268_435_456, cpu: null },
    labels: { owner: "shop-team" },
    drainMs: 30_000,
    options: {},
  });
  const input: Record<string, unknown> = {
    point: "plan",
    time: new Date().toISOString(),
    environment: "production",
    actor: { id: "prn_1", kind: "person", name: "dev" },
    deployment: null,
    manifest: {
      project: "shop",
      services: Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`service-${i}`, service(i)])),
      guardrails: { maturity: "production" },
      rollback: { keep: 1, forMs: 600_000 },
    },
    origin: null,
    artifacts: {},
    sources: {},
    plugins: {},
    history: { live: null, deployments: [] },
    waivers: [],
    cost: null,
  };
  const change = { service: "service-1", action: "update", path: "env.SETTING_1", from: "a value of before", to: "a value of after" };
  const missing = BYTES - JSON.stringify(input).length;
  return {
    ...input,
    plan: { services: [], removed: [], changes: Array.from({ length: Math.ceil(missing / JSON.stringify(change).length) }, () => change) },
  };
}

async function startServer(): Promise<{ ask: (body: string) => Promise<unknown>; stop: () => void }> {
  const port = await freePort();
  const file = join(none, "data.json");
  await writeFile(file, JSON.stringify(data));
  const rego = ["artifacts", "decision", "freeze", "providers", "secrets", "services"].map((name) =>
    join(guardrails, "baseline", `${name}.rego`),
  );
  const child: ChildProcess = spawn(opa!, ["run", "-s", "--addr", `127.0.0.1:${port}`, "--log-level", "error", ...rego, file], {
    stdio: "ignore",
  });
  const agent = new Agent({ keepAlive: true });
  const ask = (body: string) => post(port, { body, agent });
  for (let i = 0; i < 200; i++) {
    const isUp = await ask("{}").then(
      () => true,
      () => false,
    );
    if (isUp) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { ask, stop: () => (agent.destroy(), child.kill()) };
}

function post(port: number, { body, agent }: { body: string; agent: Agent }): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const asked = request(
      { host: "127.0.0.1", port, path: "/v1/data/helix/guardrails/decision", method: "POST", agent, headers },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("end", () => resolve(JSON.parse(Buffer.concat(parts).toString())));
      },
    );
    asked.on("error", reject);
    asked.end(body);
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRequire } from "node:module";
import { createOpaPolicy } from "../../packages/core/src/adapters/opa/index.ts";
import { builtins } from "../../packages/core/src/adapters/opa/builtins.ts";
import { SERVICE } from "../../packages/core/test/opa/policy-world.ts";
import { guardrails, opa } from "../guardrails/support/opa.ts";
import { ENTRYPOINT, shippedPack } from "../guardrails/support/packs.ts";
import type { Figure, Row } from "./frame/figure.ts";
import { compare, interleave, timed } from "./frame/measure.ts";

const WARM = 30;
const BYTES = 100_000;
const { loadPolicy } = createRequire(new URL("../../packages/core/package.json", import.meta.url))("@open-policy-agent/opa-wasm") as {
  loadPolicy: (
    wasm: Buffer,
    memory: object,
    functions: object,
  ) => Promise<{ setData(data: object): void; evaluate(input: unknown, entrypoint: string): unknown }>;
};

/** One decision on an input of 100 KB: through the engine's adapter, through raw opa-wasm, and through `opa run -s` over HTTP. */
export const figure: Figure = {
  title: "A policy decision",
  goal: "at most 1.5 times raw opa-wasm at p50, and at least 4 times faster than the OPA server.",
  rounds: 300,
  run: async ({ rounds, note }) => {
    const input = largeInput();
    note(`input of ${(JSON.stringify(input).length / 1000).toFixed(0)} KB`);
    const { wasm, data } = await shippedPack("production");
    const none = await mkdtemp(join(tmpdir(), "helix-bench-"));
    const policy = createOpaPolicy({
      shipped: join(guardrails, "bundles"),
      installed: join(none, "a"),
      kept: join(none, "b"),
      keys: join(none, "c"),
    });
    const raw = await loadPolicy(wasm, { initial: 5 }, builtins(Date.now));
    raw.setData(data);
    const server = opa ? await startServer(none, data) : null;
    if (!server) note("the OPA server was not measured: the program opa is not here (HELIX_OPA or PATH)");
    try {
      const measured = await interleave(rounds + WARM, {
        engine: () =>
          timed(async () => {
            const { allow } = await policy.decide("plan", { ...input, time: new Date().toISOString() });
            if (allow) throw new Error("the engine allows what it should refuse");
          }),
        raw: () => timed(() => check((raw.evaluate(input, ENTRYPOINT) as [{ result: { allow: boolean } }])[0].result)),
        server: () =>
          server ? timed(async () => check(((await server.ask(JSON.stringify({ input }))) as Answer).result)) : Promise.resolve(NaN),
      });
      return rowsOf(measured, server !== null);
    } finally {
      server?.stop();
      await policy.close();
      await rm(none, { recursive: true, force: true });
    }
  },
};

interface Answer {
  readonly result: { readonly allow: boolean };
}

/** The first rounds warm up and do not count. */
function rowsOf(
  measured: Readonly<Record<"engine" | "raw" | "server", readonly (readonly number[])[]>>,
  hasServer: boolean,
): readonly Row[] {
  const [helix, raw, server] = [measured.engine.slice(WARM), measured.raw.slice(WARM), measured.server.slice(WARM)];
  const against = "raw opa-wasm";
  const rows = [
    compare({ name: "a decision, p50", unit: "ms", helix, peer: raw, against }, { of: "ratio", most: 1.5 }),
    compare({ name: "a decision, p99", unit: "ms", helix, peer: raw, against, share: 0.99 }),
  ];
  if (!hasServer) return rows;
  const times = { name: "a decision, p50", unit: "ms", helix, peer: server, against: "opa run -s" };
  return [...rows, compare(times, { of: "ratio", most: 0.25 })];
}

function check({ allow }: { readonly allow: boolean }): void {
  if (allow) throw new Error("it allows what it should refuse");
}

/** Ten services with many variables, a plan, and a history: what a large project sends. */
function largeInput(): Record<string, unknown> {
  const service = (i: number) => ({
    ...SERVICE,
    start: "node server.js",
    env: Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`SETTING_${n}`, `value ${i} of setting ${n} in words`])),
    health: { ...SERVICE.health, path: i === 0 ? null : SERVICE.health.path },
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

async function startServer(none: string, data: object): Promise<{ ask: (body: string) => Promise<unknown>; stop: () => void }> {
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

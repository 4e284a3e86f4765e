import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Value from "typebox/value";
import { contextOf, tableOf, until } from "../../../test/delivery/tools.ts";
import type { DeliveryWorld } from "../../../test/delivery/world.ts";
import { type RouterClient, routerClient } from "../src/client.ts";
import { type Limits, type RouterConfig, configSchema } from "../src/config.ts";
import { delivery } from "../src/delivery.ts";

export * from "../../../test/delivery/tools.ts";

const ENTRY = fileURLToPath(new URL("../dist/data-plane/main.js", import.meta.url));

export interface World extends DeliveryWorld<RouterConfig> {
  readonly config: RouterConfig;
  readonly client: RouterClient;
  readonly pid: () => number;
  readonly logs: () => string;
}

/** A real data plane process with a folder of its own. */
export async function makeWorld(options: { limits?: Partial<Limits>; httpPort?: number; trustForwarded?: boolean } = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "helix-router-"));
  const config = Value.Default(configSchema, {
    socket: join(folder, "run", "router.sock"),
    stateDir: join(folder, "state"),
    httpPort: options.httpPort ?? 0,
    trustForwarded: options.trustForwarded ?? false,
    limits: options.limits ?? {},
  }) as RouterConfig;
  let child: ChildProcess | null = null;
  const children: ChildProcess[] = [];
  let output = "";
  let generation = 0;
  const client = routerClient(config, new AbortController().signal);
  const start = async (): Promise<void> => {
    child = spawn(process.execPath, [ENTRY], {
      env: { ...process.env, HELIX_PLUGIN_CONFIG: JSON.stringify(config) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    await until(async () => (await client.status().catch(() => null)) !== null, 15_000);
  };
  const kill = async (signal: NodeJS.Signals = "SIGKILL"): Promise<void> => {
    for (const running of children) {
      if (running.exitCode !== null || running.signalCode !== null) continue;
      const ended = new Promise((resolve) => running.once("exit", resolve));
      running.kill(signal);
      await ended;
    }
  };
  const own = `unit-${randomUUID()}`;
  const ctx = (unit = own) => contextOf(config, unit);
  await start();
  return {
    delivery,
    config,
    client,
    unit: own,
    ctx,
    start,
    kill,
    apply: async (routes, { unit, generation: given } = {}) => {
      const asked = given ?? generation + 1;
      generation = Math.max(generation, asked);
      return delivery.apply(ctx(unit), { table: tableOf(asked, routes), prior: null });
    },
    pid: () => child?.pid ?? 0,
    logs: () => output,
    stop: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { makeFolder, writeDurable } from "@helixstack/route-tables";
import { type PluginContext, PluginError } from "@helixstack/sdk";
import { SupervisorClient, type Unit } from "@helixstack/supervisor";
import type { HaproxyConfig } from "./config.ts";
import { isUnreachable, toFailure } from "./failures.ts";
import { haproxyConfig } from "./haproxy-config.ts";
import { chooseListening, keptListening, listeningFile } from "./listening.ts";
import { RuntimeApi } from "./runtime-api.ts";

export { folderSecret } from "@helixstack/supervisor";

type Context = Pick<PluginContext<HaproxyConfig>, "config" | "signal" | "log">;

const UNIT = "haproxy";
/** A HAProxy that was killed is up again within this. */
const RESTART_MS = 2000;
const START_MS = 5000;
const PAUSE_MS = 20;

/** A conversation with the HAProxy that runs; rejects with `UNAVAILABLE` when none does. */
export async function openRuntime({ config }: Pick<Context, "config">): Promise<RuntimeApi> {
  return RuntimeApi.open(config.socket);
}

/** The same, and HAProxy is started where it does not run as configured. Only whoever holds the folder may call it. */
export async function startedRuntime(ctx: Context): Promise<RuntimeApi> {
  if (isAsConfigured(ctx.config)) {
    const found = await patiently(ctx, RESTART_MS);
    if (found !== null) return found;
  }
  await start(ctx);
  const started = await patiently(ctx, START_MS);
  if (started !== null) return started;
  throw new PluginError("UNAVAILABLE", `HAProxy does not come up: ${await lastWords(ctx)}`, {
    hint: "The last lines of its log say why; `helix logs` has all of them.",
  });
}

async function patiently(ctx: Context, ms: number): Promise<RuntimeApi | null> {
  for (const until = performance.now() + ms; ; await sleep(PAUSE_MS)) {
    try {
      return await openRuntime(ctx);
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      if (performance.now() > until || ctx.signal.aborted) return null;
    }
  }
}

/** Ports are chosen while it is down: those that it has itself look taken. */
async function start(ctx: Context): Promise<void> {
  const { config } = ctx;
  await access(config.program).catch(() => {
    throw new PluginError("UNSUPPORTED", `HAProxy is not at ${config.program}`, {
      hint: "Install it (Debian: `apt-get install haproxy`), or set `program` in the plugin's configuration.",
    });
  });
  makeFolder(config.stateDir);
  await supervised(config, async (supervisor) => {
    await supervisor.stop(UNIT).catch(ignoreUnknown);
    const listening = await chooseListening(config);
    const text = haproxyConfig(config, listening);
    await writeDurable(listeningFile(config.stateDir), JSON.stringify(listening));
    await writeDurable(configFile(config), text);
    await supervisor.ensure(unitOf(config, text));
  });
}

function isAsConfigured(config: HaproxyConfig): boolean {
  const listening = keptListening(config);
  return listening !== null && configured(config) === haproxyConfig(config, listening);
}

function configured(config: HaproxyConfig): string | null {
  try {
    return readFileSync(configFile(config), "utf8");
  } catch {
    return null;
  }
}

function unitOf(config: HaproxyConfig, text: string): Unit {
  return {
    name: UNIT,
    role: "haproxy",
    argv: [config.program, "-db", "-f", configFile(config)],
    cwd: config.stateDir,
    env: {},
    restart: { policy: "always", minMs: 50, maxMs: 500 },
    desired: "running",
    labels: { plugin: "haproxy" },
    needs: [config.program],
    fence: 0,
    specDigest: createHash("sha256").update(`${config.program}\n${text}`).digest("hex").slice(0, 32),
  };
}

async function lastWords({ config }: Context): Promise<string> {
  const lines: string[] = [];
  await supervised(config, async (supervisor) => {
    for await (const { m } of supervisor.logs(UNIT, { tail: 5 })) lines.push(m);
  });
  return lines.join(" / ");
}

async function supervised<T>({ home }: HaproxyConfig, act: (supervisor: SupervisorClient) => Promise<T>): Promise<T> {
  const supervisor = await SupervisorClient.connect(home).catch((error: unknown) => {
    throw toFailure(error, "reach the supervisor");
  });
  try {
    return await act(supervisor);
  } catch (error) {
    throw toFailure(error, "start HAProxy");
  } finally {
    supervisor.close();
  }
}

function configFile({ stateDir }: HaproxyConfig): string {
  return join(stateDir, "haproxy.cfg");
}

function ignoreUnknown(error: { readonly code?: string }): void {
  if (error.code !== "NOT_FOUND") throw error;
}

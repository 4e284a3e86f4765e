import { setTimeout as sleep } from "node:timers/promises";
import type { PluginContext } from "@helixstack/sdk";
import { SupervisorClient, type UnitStatus } from "@helixstack/supervisor";
import type { Config } from "./config.ts";
import { toFailure } from "./failures.ts";

export { isAlive, type ProcessIdentity, type Unit, type UnitLogLine, type UnitStatus } from "@helixstack/supervisor";

/** The supervisor as this plugin uses it. */
export type Supervisor = SupervisorClient;

/** A killed supervisor is brought back by the local plane; a call waits that long for it. */
const WAIT_MS = 8000;
const LOOK_MS = 50;

const connections = new Map<string, SupervisorClient>();

/** The supervisor of the configured home, on a connection that calls share. Fails with `UNAVAILABLE`. */
export async function supervisorOf(ctx: Pick<PluginContext<Config>, "config" | "signal">): Promise<Supervisor> {
  const { home } = ctx.config;
  const known = connections.get(home);
  if (known !== undefined && !known.isClosed) return known;
  const fresh = await openSupervisor(ctx);
  const raced = connections.get(home);
  if (raced !== undefined && !raced.isClosed) {
    fresh.close();
    return raced;
  }
  connections.set(home, fresh);
  return fresh;
}

/** A connection of its own, to be closed by the caller. */
export async function openSupervisor(ctx: Pick<PluginContext<Config>, "config" | "signal">): Promise<Supervisor> {
  for (const until = Date.now() + WAIT_MS; ; await sleep(LOOK_MS)) {
    try {
      return await SupervisorClient.connect(ctx.config.home);
    } catch (error) {
      if (Date.now() >= until || ctx.signal.aborted) throw toFailure(error, "reach the supervisor");
    }
  }
}

/** Closes what {@link supervisorOf} opened. */
export function closeSupervisors(): void {
  for (const client of connections.values()) client.close();
  connections.clear();
}

/** Calls the supervisor; what it answers badly becomes a `PluginError`. */
export async function ask<T>(ctx: PluginContext<Config>, what: string, call: (supervisor: Supervisor) => Promise<T>): Promise<T> {
  const supervisor = await supervisorOf(ctx);
  try {
    return await call(supervisor);
  } catch (error) {
    throw toFailure(error, what);
  }
}

/** Units that carry all these labels; with what their processes use, where that is asked for. */
export async function findUnits(
  ctx: PluginContext<Config>,
  labels: Readonly<Record<string, string>>,
  { usage = false }: { readonly usage?: boolean } = {},
): Promise<UnitStatus[]> {
  return [...(await ask(ctx, "list processes", (supervisor) => supervisor.list({ labels, usage })))];
}

import type { PluginContext } from "@helixstack/sdk";
import { setTimeout as sleep } from "node:timers/promises";
import Docker from "dockerode";
import type { Config } from "./config.ts";
import { statusOf, toFailure } from "./failures.ts";

export type { ContainerCreateOptions, ContainerInfo, ContainerInspectInfo, NetworkInspectInfo } from "dockerode";

const engines = new Map<string, Docker>();

/** The Docker Engine of this configuration; its connections are shared between calls. */
export function engineOf(ctx: Pick<PluginContext<Config>, "config">): Docker {
  const { socket } = ctx.config;
  const known = engines.get(socket);
  if (known) return known;
  const engine = new Docker({ socketPath: socket });
  engines.set(socket, engine);
  return engine;
}

/** Runs one engine call; what it throws becomes a row of the error table, with `what` in front. */
export async function ask<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw toFailure(error, what);
  }
}

/** Like {@link ask}; an answer with one of these statuses is `null`: already gone, already so. */
export async function askUnless<T>(statuses: readonly number[], what: string, call: () => Promise<T>): Promise<T | null> {
  try {
    return await call();
  } catch (error) {
    if (statuses.includes(statusOf(error) ?? 0)) return null;
    throw toFailure(error, what);
  }
}

/** Containers with all of these labels, running or not. */
export function listContainers(ctx: PluginContext<Config>, labels: Readonly<Record<string, string>>): Promise<Docker.ContainerInfo[]> {
  const label = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return ask("list containers", () => engineOf(ctx).listContainers({ all: true, filters: { label } }));
}

/** Every container of the installation, running or not. */
export function ownContainers(ctx: PluginContext<Config>): Promise<Docker.ContainerInfo[]> {
  return listContainers(ctx, { "helix.installation": ctx.identity.installation });
}

/** A container by name or id; null when there is none. */
export function inspectContainer(ctx: PluginContext<Config>, name: string): Promise<Docker.ContainerInspectInfo | null> {
  return askUnless([404], `inspect ${name}`, () => engineOf(ctx).getContainer(name).inspect());
}

const REMOVAL_MS = 20_000;

/** Removes a container with its anonymous volumes, running or not. Resolves when it is gone, whoever removed it. */
export async function removeContainer(ctx: PluginContext<Config>, id: string): Promise<void> {
  const container = engineOf(ctx).getContainer(id);
  // 409: somebody else is removing it just now.
  await askUnless([404, 409], `remove container ${id}`, () => container.remove({ force: true, v: true }));
  for (const until = performance.now() + REMOVAL_MS; performance.now() < until; await sleep(20)) {
    if ((await inspectContainer(ctx, id)) === null) return;
  }
  throw toFailure(new Error(`it is still there after ${REMOVAL_MS / 1000} s`), `remove container ${id}`);
}

import { mkdir } from "node:fs/promises";
import { EngineError } from "../domain/errors.ts";
import type { HostProcess, InstalledPlugin } from "../ports/plugins.ts";
import { labelOf } from "./call-errors.ts";
import type { HostOutput } from "./host-output.ts";
import { PluginHost } from "./plugin-host.ts";
import { spawnHost } from "./spawn-host.ts";

export interface HostPoolOptions {
  /** Where each plugin keeps its own things (`ctx.home`). Made if it is missing. */
  readonly homes: (plugin: InstalledPlugin) => string;
  /** Told of each host: a host is recorded before its first call and removed when its process is gone. */
  readonly onHost?: { recordHost(host: HostProcess): Promise<void>; removeHost(host: HostProcess): Promise<void> };
  /** The Node that runs hosts; by default the one that runs this. */
  readonly node?: string;
  /** The environment that hosts may see a part of; by default this process's. */
  readonly env?: NodeJS.ProcessEnv;
  /** How long a host without calls stays, milliseconds. Default 30 000. */
  readonly idleMs?: number;
  /** Takes what plugins write to stdout and stderr. */
  readonly onOutput?: (output: HostOutput) => void;
}

/** The hosts that run: one a plugin, started when first needed, ended when idle. */
export interface HostPool {
  /** Runs `use` with the plugin's host, which is kept meanwhile. `race` says how long to wait for a host that has to start. */
  withHost<T>(plugin: InstalledPlugin, options: UseOptions<T>): Promise<T>;
  list(): readonly HostProcess[];
  /** Ends all hosts. Resolves when their processes are gone and their records removed. */
  close(): Promise<void>;
}

export interface UseOptions<T> {
  readonly race: (host: Promise<PluginHost>) => Promise<PluginHost>;
  readonly use: (host: PluginHost) => Promise<T>;
}

/** How long the end of a host waits for its record to be written and removed. */
const RECORD_PATIENCE_MS = 2_000;

interface Place {
  readonly host: Promise<PluginHost>;
  users: number;
  idle: NodeJS.Timeout | undefined;
}

export function hostPool(options: HostPoolOptions): HostPool {
  const { idleMs = 30_000 } = options;
  const places = new Map<string, Place>();
  const running: Running = { hosts: new Map(), isClosed: false };

  const forget = (place: Place) => {
    for (const [name, one] of places) if (one === place) places.delete(name);
  };
  const placeFor = (plugin: InstalledPlugin): Place => {
    const { name } = plugin.manifest;
    const place = places.get(name) ?? { host: startHost(plugin, options, running), users: 0, idle: undefined };
    if (!places.has(name)) {
      places.set(name, place);
      const leave = () => forget(place);
      place.host.then(({ gone }) => gone.then(leave), leave);
    }
    clearTimeout(place.idle);
    place.users += 1;
    return place;
  };
  const release = (place: Place) => {
    place.users -= 1;
    if (place.users > 0) return;
    place.idle = setTimeout(() => {
      forget(place);
      place.host.then(
        (host) => host.end(),
        () => {},
      );
    }, idleMs).unref();
  };
  const withHost: HostPool["withHost"] = async (plugin, { race, use }) => {
    if (running.isClosed) throw new EngineError("BUSY", "this worker is stopping and takes no more calls");
    const place = placeFor(plugin);
    try {
      const host = await race(place.host);
      if (!host.isEnding) return await use(host);
    } finally {
      release(place);
    }
    forget(place);
    return withHost(plugin, { race, use });
  };
  return {
    withHost,
    list: () => [...running.hosts.keys()].map((host) => host.record),
    async close() {
      running.isClosed = true;
      const starting = [...places.values()].map((place) => place.host);
      for (const host of running.hosts.keys()) host.end();
      await Promise.allSettled(starting);
      await Promise.all(running.hosts.values());
    },
  };
}

interface Running {
  /** Each host with the moment at which nothing is left of it. */
  readonly hosts: Map<PluginHost, Promise<void>>;
  isClosed: boolean;
}

/** Starts a host: it is recorded while it loads, and takes no call before both are done. */
async function startHost(plugin: InstalledPlugin, options: HostPoolOptions, running: Running): Promise<PluginHost> {
  const { node = process.execPath, env = process.env, onHost, onOutput } = options;
  const home = options.homes(plugin);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const host = new PluginHost(await spawnHost({ plugin, home, node, env }), { plugin, onOutput });
  const recorded = onHost?.recordHost(host.record);
  running.hosts.set(
    host,
    bury(host, { recorded, onHost }).finally(() => running.hosts.delete(host)),
  );
  // It was closed while this one was on its way.
  if (running.isClosed) host.end();
  try {
    await Promise.all([Promise.race([recorded, endedEarly(host)]), host.start(home)]);
    return host;
  } catch (error) {
    host.end();
    throw error;
  }
}

/** Whatever it waits for (its record may hang with the database), a host whose process is gone will take no call. */
async function endedEarly(host: PluginHost): Promise<never> {
  await host.gone;
  throw new EngineError("PLUGIN_CRASHED", `the plugin ${labelOf(host.plugin)} ended before it took its first call`);
}

/** A record goes when its process is gone. One that stays does no harm: whoever looks finds that there is no such process. */
async function bury(
  host: PluginHost,
  { recorded, onHost }: { recorded: Promise<void> | undefined; onHost: HostPoolOptions["onHost"] },
): Promise<void> {
  await host.gone;
  const patience = new Promise<void>((resolve) => setTimeout(resolve, RECORD_PATIENCE_MS).unref());
  const removed = Promise.resolve(recorded).then(() => onHost?.removeHost(host.record));
  await Promise.race([removed.catch(() => {}), patience]);
}

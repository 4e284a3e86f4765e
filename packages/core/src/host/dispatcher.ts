import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toEngineError } from "../domain/errors.ts";
import type { Dispatcher, HostProcess, InstalledPlugin, PluginCall, PluginRegistry } from "../ports/plugins.ts";
import { placeOf } from "./call-errors.ts";
import { checkCall } from "./check-call.ts";
import { MUTATING } from "./contract-schemas.ts";
import { type HostPool, type HostPoolOptions, hostPool } from "./host-pool.ts";
import type { HostedCall } from "./plugin-host.ts";
import { stopWatch } from "./stop-watch.ts";
import { streamQueue } from "./stream-queue.ts";

export interface DispatcherOptions extends HostPoolOptions {
  readonly registry: PluginRegistry;
  /** Where calls get their work folders; by default the system's folder for temporary files. */
  readonly workFolder?: string;
  /** Awaited before a verb that changes what a daemon of the plugin serves; for plugins with daemons only. */
  readonly beforeCall?: (plugin: InstalledPlugin, verb: string) => Promise<void>;
}

/** Calls plugins on this machine, each in a process of its own. */
export interface LocalDispatcher extends Dispatcher {
  /** The processes that run plugins just now. */
  hosts(): readonly HostProcess[];
  /** Starts a plugin's process ahead of its first call. Rejects where it cannot start. */
  warm(plugin: InstalledPlugin): Promise<void>;
  /** Ends every plugin's process; calls in flight fail with `PLUGIN_CRASHED`. Resolves when all are gone. */
  close(): Promise<void>;
}

export function createDispatcher(options: DispatcherOptions): LocalDispatcher {
  const pool = hostPool(options);
  return {
    async call<T>(call: PluginCall) {
      const value = await dispatch(call, { options, pool });
      return (value === null && isVoid(call) ? undefined : value) as T;
    },
    stream: <T>(call: PluginCall) => stream(call, { options, pool }) as AsyncIterable<T>,
    hosts: () => pool.list(),
    warm: (plugin) => pool.withHost(plugin, { race: (host) => host, use: async () => {} }),
    close: () => pool.close(),
  };
}

interface Parts {
  readonly options: DispatcherOptions;
  readonly pool: HostPool;
  readonly onItems?: (items: readonly unknown[]) => void;
  readonly onHosted?: (hosted: HostedCall) => void;
}

/** Brings a call to its host and waits for its outcome. It may be stopped at any point on the way. */
async function dispatch(call: PluginCall, { options, pool, onItems, onHosted }: Parts): Promise<unknown> {
  const plugin = options.registry.get(call.plane, call.plugin);
  const place = placeOf(call, plugin);
  checkCall(call, plugin);
  const workdir = join(options.workFolder ?? tmpdir(), `helix-call-${randomUUID()}`);
  const watch = stopWatch({ place, deadlineMs: call.deadlineMs, signal: call.signal });
  try {
    if (watch.why !== null) throw watch.stopped();
    if (options.beforeCall && MUTATING.has(call.verb) && plugin.manifest.daemons.length > 0) {
      await watch.race(options.beforeCall(plugin, call.verb));
    }
    return await pool.withHost(plugin, {
      race: (host) => watch.race(host),
      use(host) {
        const hosted = host.run(call, { watch, workdir, ...(onItems && { onItems }) });
        onHosted?.(hosted);
        return hosted.outcome;
      },
    });
  } catch (error) {
    throw toEngineError(error).at({ plane: place.plane, plugin: place.plugin });
  } finally {
    watch.end();
    await rm(workdir, { recursive: true, force: true });
  }
}

/** A stream in which the plugin is never further ahead of its reader than its credit of messages. */
async function* stream(call: PluginCall, parts: Parts): AsyncGenerator<unknown, void> {
  const queue = streamQueue();
  const left = new AbortController();
  const onAbort = () => {
    queue.end();
    left.abort();
  };
  if (call.signal?.aborted) return;
  call.signal?.addEventListener("abort", onAbort, { once: true });
  let hosted: HostedCall | undefined;
  const watched = { ...call, signal: left.signal };
  dispatch(watched, { ...parts, onItems: queue.push, onHosted: (started) => (hosted = started) }).then(() => queue.end(), queue.end);
  try {
    for (;;) {
      const next = await queue.take();
      if (next.done) return;
      for (const item of next.value) yield item;
      hosted?.credit(1);
    }
  } finally {
    // The reader has gone, or the stream is over. The plugin is told, and watched until it has stopped.
    left.abort();
    call.signal?.removeEventListener("abort", onAbort);
  }
}

const VOID_VERBS: ReadonlySet<string> = new Set(["destroy", "destroyVolume"]);

function isVoid({ verb }: PluginCall): boolean {
  return VOID_VERBS.has(verb);
}

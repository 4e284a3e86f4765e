import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type PluginDefinition, type PluginContext, isPluginError, manifestOf } from "@helixstack/sdk";
import { EngineError, toEngineError } from "../../src/domain/errors.ts";
import type { Dispatcher, InstalledPlugin, PluginCall, PluginRegistry } from "../../src/ports/index.ts";

/** Looks at every call before it reaches its plugin; may throw, wait, or never come back. */
export type OnCall = (call: PluginCall) => Promise<void> | void;

/** Calls plugin definitions in this process: what crosses is JSON, as it is on the pipe to a plugin host. */
export function directDispatcher(
  definitions: readonly PluginDefinition[],
  { root, onCall = () => {} }: { root: string; onCall?: OnCall },
): { readonly dispatcher: Dispatcher; readonly registry: PluginRegistry } {
  const installed = definitions.map((definition): InstalledPlugin => {
    const manifest = manifestOf(definition, { entry: "index.js" });
    return { manifest, folder: root, config: {}, digest: `sha256:${definition.name}` };
  });
  const registry: PluginRegistry = {
    list: () => installed,
    get(plane, name) {
      const found = installed.find(({ manifest }) => manifest.name === name && manifest.planes[plane]);
      if (!found) throw new EngineError("PLUGIN_UNKNOWN", `no ${plane} plugin is called ${name}`);
      return found;
    },
    supports: (name, capability) => installed.some(({ manifest }) => manifest.name === name && manifest.capabilities.includes(capability)),
  };
  const verbOf = (call: PluginCall) => {
    const definition = definitions.find(({ name }) => name === call.plugin);
    const verb = (definition?.planes[call.plane] as Record<string, unknown> | undefined)?.[call.verb];
    if (typeof verb === "function") return verb as (ctx: PluginContext, input: unknown) => unknown;
    throw new EngineError("UNSUPPORTED", `${call.plugin} has no ${call.plane}.${call.verb}`);
  };
  const dispatcher: Dispatcher = {
    async call<T>(call: PluginCall) {
      const work = await mkdtemp(join(root, "work-"));
      try {
        await onCall(call);
        const result = (async () => verbOf(call)(await contextOf(call, { root, work }), copy(call.input)))();
        return copy(await unlessAborted(result, call)) as T;
      } catch (thrown) {
        const error = isPluginError(thrown) ? toEngineError(thrown) : thrown;
        if (!(error instanceof EngineError)) throw error;
        const { version } = registry.get(call.plane, call.plugin).manifest;
        throw error.at({ plane: call.plane, plugin: `${call.plugin}@${version}` });
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    },
    async *stream<T>(call: PluginCall) {
      const work = await mkdtemp(join(root, "work-"));
      yield* verbOf(call)(await contextOf(call, { root, work }), copy(call.input)) as AsyncIterable<T>;
    },
  };
  return { dispatcher, registry };
}

async function contextOf(call: PluginCall, { root, work }: { root: string; work: string }): Promise<PluginContext> {
  const home = join(root, "homes", call.plugin);
  await mkdir(home, { recursive: true });
  const log = (level: "debug" | "info" | "warn" | "error") => (text: string) => call.onLog?.({ at: new Date().toISOString(), level, text });
  return {
    config: {},
    identity: call.identity,
    operationId: call.operationId,
    fence: call.fence,
    signal: call.signal ?? new AbortController().signal,
    log: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
    progress: (note) => call.onProgress?.(note),
    secret: (name) => call.secrets!.credential!(name),
    resolve: (ref) => call.secrets!.resolve!(ref),
    workdir: work,
    home,
  };
}

/** The caller is answered as soon as its signal fires, as the real dispatcher does once the host has acknowledged. */
function unlessAborted<T>(result: Promise<T>, { signal, plugin, verb }: PluginCall): Promise<T> {
  if (!signal) return result;
  const aborted = new Promise<never>((_, reject) => {
    const abort = () => reject(new EngineError("ABORTED", `${plugin} ${verb} was cancelled`));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
  });
  return Promise.race([result, aborted]);
}

function copy<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);
}

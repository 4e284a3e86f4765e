import { Socket } from "node:net";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { type PluginDefinition, manifestOf } from "@helixstack/sdk";
import { frameReader } from "./frames.ts";
import { type HostedPlugin, type RunningCall, runCall } from "./inside/run-call.ts";
import { sender } from "./inside/send.ts";
import { endDescendants } from "./process-table.ts";
import type { CallMessage, ToHost } from "./protocol.ts";

/**
 * The process in which one plugin's code runs. It starts fast (it loads the SDK and the plugin, nothing else), talks over file descriptor 3
 * only, and ends with everything it started as soon as that pipe closes: whoever was on the other end is gone.
 */
const pipe = new Socket({ fd: 3, readable: true, writable: true });
const send = sender(pipe);
const calls = new Map<number, RunningCall>();
const read = frameReader();
let plugin: HostedPlugin | undefined;

pipe.on("data", (chunk: Buffer) => {
  for (const message of read(chunk)) receive(message as unknown as ToHost);
});
pipe.on("close", () => process.exit(0));
pipe.on("error", () => process.exit(0));
process.on("exit", () => endDescendants(process.pid));

function receive(message: ToHost): void {
  if (message.type === "start") return void load(message);
  if (message.type === "call") return start(message);
  const call = calls.get(message.id);
  if (message.type === "cancel") call?.cancel();
  else if (message.type === "credit") call?.credit(message.messages);
  else call?.answer(message);
}

async function load({ entry, home, config }: Extract<ToHost, { type: "start" }>): Promise<void> {
  try {
    const module = (await import(pathToFileURL(entry).href)) as { readonly default?: PluginDefinition };
    if (!module.default?.planes) throw new Error("its default export is not a plugin definition");
    plugin = { planes: module.default.planes, config: deepFreeze(config), home };
    // The path is the engine's matter; only what the code says of itself is compared.
    send({ type: "hello", manifest: manifestOf(module.default, { entry: "" }) });
    // After the plugin is loaded, so that the thread does not slow its start.
    new Worker(new URL("./inside/lifeline.js", import.meta.url)).unref();
  } catch (error) {
    send({ type: "unusable", message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

function start(message: CallMessage): void {
  if (!plugin) return;
  const call = runCall(plugin, message, send);
  calls.set(message.id, call);
  void call.settled.then(() => calls.delete(message.id));
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}

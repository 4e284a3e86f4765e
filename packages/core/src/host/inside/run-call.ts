import { type PlaneName, type Planes, PluginError } from "@helixstack/sdk";
import { inTurns } from "@helixstack/sdk/turns";
import { type CallMessage, STREAM_WINDOW, type SecretAnswer } from "../protocol.ts";
import { callContext } from "./context.ts";
import type { Send } from "./send.ts";
import { toWireError } from "./wire-error.ts";

/** A call in progress, as the host sees it. */
export interface RunningCall {
  readonly settled: Promise<void>;
  readonly cancel: () => void;
  readonly credit: (messages: number) => void;
  readonly answer: (message: SecretAnswer) => void;
}

export interface HostedPlugin {
  readonly planes: Planes;
  readonly config: Readonly<Record<string, unknown>>;
  readonly home: string;
}

/** A plugin that says much in many turns says it in a message each millisecond. */
const REST_MS = 1;

type Verb = (...args: unknown[]) => unknown;

/** Runs one verb to its end and sends its outcome: always exactly one `result` or `error`, after the items of a stream. */
export function runCall(plugin: HostedPlugin, call: CallMessage, send: Send): RunningCall {
  const abort = new AbortController();
  const { context, answer } = callContext({ call, config: plugin.config, home: plugin.home, signal: abort.signal, send });
  const window = creditWindow(call.credit ?? STREAM_WINDOW, abort.signal);
  const run = async () => {
    const verb = verbOf(plugin, call);
    const input = withCurrentState(plugin, call);
    // `plan` is pure: it has no context, so that it cannot reach for one.
    if (call.verb === "plan") return verb(input);
    const outcome = verb(context, input);
    if (call.credit === null) return outcome;
    for await (const items of inTurns(outcome as AsyncIterable<unknown>, { write: toJson, restMs: REST_MS })) {
      if (!(await window.take())) break;
      send.items(call.id, items);
    }
    return null;
  };
  const settled = run().then(
    (value) => send({ type: "result", id: call.id, value: value ?? null }),
    (error: unknown) => send({ type: "error", id: call.id, error: toWireError(error, abort.signal.aborted) }),
  );
  return { settled, cancel: () => abort.abort(), credit: window.add, answer };
}

function toJson(value: unknown): string {
  return JSON.stringify(value) ?? "null";
}

function verbOf({ planes }: HostedPlugin, { plane, verb }: CallMessage): Verb {
  const verbs = planes[plane] as Readonly<Record<string, unknown>> | undefined;
  const found = verbs?.[verb];
  if (typeof found === "function") return found.bind(verbs) as Verb;
  throw new PluginError("UNSUPPORTED", `the plugin has no ${plane}.${verb}`);
}

/** The input with `prior` in the current shape: a state of an older version is upgraded first. */
function withCurrentState({ planes }: HostedPlugin, { plane, input, stateVersion }: CallMessage): unknown {
  if (stateVersion === null || plane === "build") return input;
  const { prior } = input as { readonly prior?: unknown };
  if (prior === null || prior === undefined) return input;
  const upgrade = planes[plane as Exclude<PlaneName, "build">]?.upgradeState;
  if (!upgrade) throw new PluginError("INTERNAL", `the plugin has no upgradeState, and a state of version ${stateVersion} is stored`);
  return { ...(input as object), prior: upgrade({ from: stateVersion, stored: prior }) };
}

/** Counts what may still be sent. `take` waits for credit; it is false once the call is cancelled. */
function creditWindow(initial: number, signal: AbortSignal) {
  let left = initial;
  let wake: () => void = () => {};
  signal.addEventListener("abort", () => wake(), { once: true });
  return {
    add: (messages: number): void => {
      left += messages;
      wake();
    },
    take: async (): Promise<boolean> => {
      while (left === 0 && !signal.aborted) await new Promise<void>((resolve) => (wake = resolve));
      left -= 1;
      return !signal.aborted;
    },
  };
}

import { type LoadedPolicy, loadPolicy } from "@open-policy-agent/opa-wasm";
import { parentPort, workerData } from "node:worker_threads";
import { builtins } from "./builtins.ts";
import type { PolicyFault } from "./faults.ts";
import type { WasmModule } from "./wasm.ts";

/** What the thread is told. A pack is loaded once and asked often. */
export type ThreadOrder =
  | { readonly do: "load"; readonly pack: string; readonly module: WasmModule; readonly data: string }
  | { readonly do: "drop"; readonly pack: string }
  | { readonly do: "evaluate"; readonly nowMs: number; readonly questions: readonly Question[]; readonly inputs: readonly ArrayBuffer[] };

/** One entry point of one pack, asked about one of the inputs. */
export interface Question {
  readonly pack: string;
  readonly entrypoint: string;
  readonly input: number;
}

export type ThreadAnswer =
  | { readonly results: readonly unknown[] }
  | { readonly fault: PolicyFault; readonly pack: string; readonly message: string };

interface Loaded {
  readonly policy: LoadedPolicy;
  readonly memory: { readonly buffer: ArrayBuffer };
}

const { maxPages } = workerData as { readonly maxPages: number };
const PAGE = 65_536;
const packs = new Map<string, Loaded>();
let nowMs = 0;
const functions = builtins(() => nowMs);

parentPort!.on("message", (order: ThreadOrder) => {
  void answer(order).then((reply) => parentPort!.postMessage(reply));
});

async function answer(order: ThreadOrder): Promise<ThreadAnswer> {
  if (order.do === "drop") {
    packs.delete(order.pack);
    return { results: [] };
  }
  if (order.do === "load") return load(order);
  nowMs = order.nowMs;
  const results: unknown[] = [];
  for (const question of order.questions) {
    const result = ask(question, order.inputs[question.input]!);
    if ("fault" in result) return result;
    results.push(result.value);
  }
  return { results };
}

async function load({ pack, module, data }: Extract<ThreadOrder, { do: "load" }>): Promise<ThreadAnswer> {
  try {
    const policy = await loadPolicy(module as never, { initial: 5, maximum: maxPages } as never, functions as never);
    policy.setData(JSON.parse(data) as object);
    packs.set(pack, { policy, memory: (policy as unknown as { mem: Loaded["memory"] }).mem });
    return { results: [] };
  } catch (thrown) {
    return { fault: faultOf(textOf(thrown)), pack, message: textOf(thrown) };
  }
}

function ask({ pack, entrypoint }: Question, input: ArrayBuffer): { value: unknown } | Extract<ThreadAnswer, { fault: PolicyFault }> {
  const { policy, memory } = packs.get(pack)!;
  if (!Object.hasOwn((policy as unknown as { entrypoints: object }).entrypoints, entrypoint)) {
    return { fault: "entrypoint-missing", pack, message: `it has no entry point ${entrypoint}` };
  }
  try {
    return { value: policy.evaluate(input, entrypoint) };
  } catch (thrown) {
    // What broke off in the middle is not asked again.
    packs.delete(pack);
    // Memory grows in leaps: the one that did not fit any more is what broke it.
    const isFull = memory.buffer.byteLength >= 0.75 * maxPages * PAGE || thrown instanceof RangeError;
    return { fault: isFull ? "out-of-memory" : faultOf(textOf(thrown)), pack, message: textOf(thrown) };
  }
}

function faultOf(message: string): PolicyFault {
  return message.startsWith("not implemented: built-in") ? "builtin-missing" : "wasm-trap";
}

/** opa-wasm throws strings, plain objects and errors. */
function textOf(thrown: unknown): string {
  if (typeof thrown === "string") return thrown;
  const { message } = (thrown ?? {}) as { readonly message?: unknown };
  return typeof message === "string" ? message : String(thrown);
}

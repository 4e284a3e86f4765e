import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import type { Question, ThreadAnswer, ThreadOrder } from "./evaluate-thread.ts";
import { unavailable } from "./faults.ts";
import type { WasmModule } from "./wasm.ts";

/** A pack ready to be asked. `id` changes with its content and its data. */
export interface CompiledPack {
  readonly id: string;
  /** For messages. */
  readonly name: string;
  readonly module: WasmModule;
  /** JSON. */
  readonly data: string;
}

export interface Asked {
  /** Milliseconds since 1970: what policies take for the time. */
  readonly nowMs: number;
  /** Each with the pack's id. */
  readonly questions: readonly Question[];
  readonly packs: readonly CompiledPack[];
  /** JSON documents that questions name by their place. */
  readonly inputs: readonly string[];
}

export interface EvaluatorOptions {
  /** An evaluation that takes longer is ended. Default 800 ms. */
  readonly timeLimitMs?: number;
  /** What one policy may hold, bytes. Default 128 MiB. */
  readonly memoryBytes?: number;
  /** Evaluations side by side. Default 4. */
  readonly threads?: number;
}

/** Asks compiled policies, away from the event loop. */
export interface Evaluator {
  /** The raw results, in the order of the questions. Rejects with `POLICY_UNAVAILABLE`. */
  evaluate(asked: Asked): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

/** Loading compiles nothing and asks nothing; it only has to wait for a busy machine. */
const LOAD_LIMIT_MS = 20_000;
const PAGE = 65_536;

/**
 * Keeps some threads. Each has one evaluation at a time, so one that never ends holds up nobody but itself, and ends with its thread. A thread in which something
 * broke is not used again.
 */
export function createEvaluator({ timeLimitMs = 800, memoryBytes = 128 * 2 ** 20, threads = 4 }: EvaluatorOptions = {}): Evaluator {
  const maxPages = Math.floor(memoryBytes / PAGE);
  const idle: Thread[] = [];
  const all = new Set<Thread>();
  const waiting: ((thread: Thread) => void)[] = [];
  const add = () => {
    const thread = startThread(maxPages);
    all.add(thread);
    return thread;
  };
  const take = (): Promise<Thread> => {
    const thread = idle.pop() ?? (all.size < threads ? add() : null);
    return thread ? Promise.resolve(thread) : new Promise((resolve) => waiting.push(resolve));
  };
  const give = (thread: Thread) => {
    const next = waiting.shift();
    if (next) next(thread);
    else idle.push(thread);
  };
  const replace = (thread: Thread) => {
    all.delete(thread);
    void thread.end();
    give(add());
  };
  return {
    async evaluate(asked) {
      const thread = await take();
      try {
        const results = await evaluateIn(thread, asked, timeLimitMs);
        give(thread);
        return results;
      } catch (error) {
        replace(thread);
        throw error;
      }
    },
    async close() {
      await Promise.all([...all].map((thread) => thread.end()));
    },
  };
}

async function evaluateIn(thread: Thread, { nowMs, questions, packs, inputs }: Asked, limitMs: number): Promise<readonly unknown[]> {
  for (const stale of [...thread.packs].filter((id) => !packs.some((pack) => pack.id === id)).slice(0, -KEPT)) {
    thread.packs.delete(stale);
    await thread.order({ do: "drop", pack: stale }, { limitMs: LOAD_LIMIT_MS });
  }
  for (const { id, name, module, data } of packs) {
    if (thread.packs.has(id)) continue;
    checked(await thread.order({ do: "load", pack: id, module, data }, { limitMs: LOAD_LIMIT_MS }), () => name);
    thread.packs.add(id);
  }
  const buffers = inputs.map((text) => new TextEncoder().encode(text).buffer as ArrayBuffer);
  const names = new Map(packs.map(({ id, name }) => [id, name]));
  const order: ThreadOrder = { do: "evaluate", nowMs, questions, inputs: buffers };
  return checked(await thread.order(order, { limitMs, transfer: buffers }), (id) => names.get(id) ?? id);
}

/** Packs that a thread keeps besides those that are asked: a rollback of a bundle, another maturity. */
const KEPT = 8;

function checked(answer: ThreadAnswer, nameOf: (pack: string) => string): readonly unknown[] {
  if ("results" in answer) return answer.results;
  throw unavailable(answer.fault, `the policies of ${nameOf(answer.pack)} could not be asked: ${answer.message}`);
}

interface Thread {
  /** Ids of the packs that it has loaded. */
  readonly packs: Set<string>;
  order(order: ThreadOrder, options: { readonly limitMs: number; readonly transfer?: readonly ArrayBuffer[] }): Promise<ThreadAnswer>;
  end(): Promise<unknown>;
}

function startThread(maxPages: number): Thread {
  const worker = new Worker(threadEntry(), { workerData: { maxPages }, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: 256 } });
  worker.unref();
  let settle: ((answer: ThreadAnswer | Error) => void) | null = null;
  const tell = (answer: ThreadAnswer | Error) => {
    settle?.(answer);
    settle = null;
  };
  worker.on("message", tell);
  worker.on("error", (error: Error) => tell(isOutOfMemory(error) ? { fault: "out-of-memory", pack: "", message: error.message } : error));
  worker.on("exit", () => tell(new Error("the thread ended")));
  return {
    packs: new Set(),
    order: (order, { limitMs, transfer = [] }) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => tell(unavailable("endless-loop", `the policies were ended: they took longer than ${limitMs} ms`)),
          limitMs,
        );
        settle = (answer) => {
          clearTimeout(timer);
          worker.unref();
          if (!(answer instanceof Error)) resolve(answer);
          else
            reject(
              answer.name === "EngineError"
                ? answer
                : unavailable("wasm-trap", `the policies broke off: ${answer.message}`, { cause: answer }),
            );
        };
        worker.ref();
        worker.postMessage(order, [...transfer]);
      }),
    end: () => worker.terminate(),
  };
}

function isOutOfMemory(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === "ERR_WORKER_OUT_OF_MEMORY";
}

/** Threads run built JavaScript. From source (tests) that is the package's `dist`, which `tsc -b` makes. */
function threadEntry(): URL {
  const beside = new URL("./evaluate-thread.js", import.meta.url);
  return existsSync(beside) ? beside : new URL(beside.href.replace(/\/src\/(?!.*\/src\/)/, "/dist/"));
}

import { once } from "node:events";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";

const STOP_MS = 500;
/** A lease is far longer than this, and a worker that has just come has better things to do than to start a thread. */
const FIRST_MS = 500;

/** Whose heart beats where. */
export interface BeatSettings {
  readonly url: string;
  /** The worker's id; it is registered already. */
  readonly worker: string;
  readonly everyMs: number;
}

export interface HeartbeatOptions {
  readonly url: string;
  readonly worker: string;
  /** Default 1 000. */
  readonly everyMs?: number;
  /** Told when beats begin to fail, and never twice without a good beat in between. */
  readonly onError?: (error: Error) => void;
}

/** A heart that beats until it is stopped. */
export interface Heartbeat {
  stop(): Promise<void>;
}

type Message = { readonly beat: true } | { readonly error: string };

/**
 * Beats in a thread of its own, with a connection of its own: a step that keeps the event loop busy does not look like death. A
 * restart of PostgreSQL only pauses it.
 */
export function startHeartbeat(options: HeartbeatOptions): Heartbeat {
  const { url, worker, everyMs = 1_000, onError = () => {} } = options;
  const settings: BeatSettings = { url, worker, everyMs };
  let isStopped = false;
  let isFailing = false;
  const fail = (error: Error) => {
    if (!isFailing) onError(error);
    isFailing = true;
  };
  const launch = () => {
    // The thread gets no standard streams and no arguments of ours: it needs none.
    const thread = new Worker(threadEntry(), { workerData: settings, execArgv: [] });
    thread.unref();
    thread.on("message", (message: Message) => {
      if ("error" in message) fail(new Error(`heartbeat: ${message.error}`));
      else isFailing = false;
    });
    thread.on("error", fail);
    thread.on("exit", () => {
      if (!isStopped) setTimeout(() => (isStopped ? undefined : (current = launch())), everyMs).unref();
    });
    return thread;
  };
  let current: Worker | null = null;
  const first = setTimeout(() => (current = launch()), Math.min(FIRST_MS, everyMs));
  return {
    async stop() {
      if (isStopped) return;
      isStopped = true;
      clearTimeout(first);
      if (current === null) return;
      const exited = once(current, "exit");
      current.postMessage("stop");
      // It may hang in a statement, or have died just now.
      await Promise.race([exited, sleep(STOP_MS)]);
      await current.terminate();
    },
  };
}

/** Threads run built JavaScript. From source (tests) that is the package's `dist`, which `tsc -b` makes. */
function threadEntry(): URL {
  const beside = new URL("./beat-thread.js", import.meta.url);
  return existsSync(beside) ? beside : new URL(beside.href.replace(/\/src\/(?!.*\/src\/)/, "/dist/"));
}

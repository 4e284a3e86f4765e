import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { connectionConfig, type DatabaseOptions } from "./database.ts";
import { EVENT_CHANNEL } from "./events.ts";
import { OUTBOX_CHANNEL } from "./outbox.ts";

/** The one LISTEN connection of a process, shared by everybody who watches. */
export interface Listener {
  /** Resolves once `onEvent` will be called for what is committed from now on. `key` is `<organization>/<stream>`. */
  watchEvents(key: string, watcher: { readonly signal: AbortSignal; readonly onEvent: () => void }): Promise<void>;
  watchOutbox(watcher: { readonly signal: AbortSignal; readonly onEvent: () => void }): Promise<void>;
  close(): Promise<void>;
}

const OUTBOX = "outbox";
/** A notice can be lost with its connection; a reader then waits no longer than this. */
const SAFETY_NET_MS = 10_000;
const RECONNECT_MS = [50, 100, 250, 500, 1_000] as const;

/** Connects with the first watcher and connects again whenever the connection is lost; then every watcher is called, for what it missed. */
export function createListener(options: DatabaseOptions): Listener {
  const watchers = new Map<string, Set<() => void>>();
  const onError = options.onError ?? (() => {});
  let connection: { readonly ended: AbortController; readonly first: Promise<void> } | null = null;

  const callAll = () => {
    for (const key of watchers.keys()) call(key);
  };
  const call = (key: string) => {
    for (const onEvent of watchers.get(key) ?? []) onEvent();
  };
  const start = () => {
    const ended = new AbortController();
    const timer = setInterval(callAll, SAFETY_NET_MS);
    timer.unref();
    ended.signal.addEventListener("abort", () => clearInterval(timer));
    const first = new Promise<void>((resolve) => {
      const onListening = () => {
        resolve();
        callAll();
      };
      void keepListening(options, { signal: ended.signal, onListening, onTried: resolve, onNotice: call, onError });
    });
    return { ended, first };
  };
  const watch = async (key: string, { signal, onEvent }: { readonly signal: AbortSignal; readonly onEvent: () => void }) => {
    if (signal.aborted) return;
    const call = () => onEvent();
    const group = watchers.get(key) ?? new Set();
    watchers.set(key, group.add(call));
    signal.addEventListener(
      "abort",
      () => {
        group.delete(call);
        if (group.size === 0 && watchers.get(key) === group) watchers.delete(key);
      },
      { once: true },
    );
    connection ??= start();
    await connection.first;
  };
  return {
    watchEvents: watch,
    watchOutbox: (watcher) => watch(OUTBOX, watcher),
    async close() {
      watchers.clear();
      connection?.ended.abort();
    },
  };
}

interface Listening {
  readonly signal: AbortSignal;
  readonly onListening: () => void;
  /** After the first try, whether or not it succeeded: a database that is down must not hold up who watches. */
  readonly onTried: () => void;
  readonly onNotice: (key: string) => void;
  readonly onError: (error: Error) => void;
}

async function keepListening(options: DatabaseOptions, listening: Listening): Promise<void> {
  for (let failures = 0; !listening.signal.aborted; failures++) {
    try {
      await listenOnce(options, {
        ...listening,
        onListening() {
          failures = 0;
          listening.onListening();
        },
      });
    } catch (thrown) {
      if (failures === 0 && thrown instanceof Error) listening.onError(thrown);
    }
    listening.onTried();
    const pause = RECONNECT_MS[Math.min(failures, RECONNECT_MS.length - 1)] ?? 1_000;
    await sleep(pause, undefined, { signal: listening.signal, ref: false }).catch(() => {});
  }
}

/** One connection, until it ends. */
async function listenOnce(options: DatabaseOptions, { signal, onListening, onNotice }: Listening): Promise<void> {
  const client = new pg.Client({ ...connectionConfig(options), application_name: "helix-listen" });
  const closed = new Promise<void>((resolve, reject) => {
    client.on("error", reject);
    client.on("end", resolve);
  });
  closed.catch(() => {});
  client.on("notification", ({ channel, payload }) => onNotice(channel === OUTBOX_CHANNEL ? OUTBOX : (payload ?? "")));
  const stop = () => void client.end().catch(() => {});
  try {
    await client.connect();
    signal.addEventListener("abort", stop, { once: true });
    await client.query(`listen ${EVENT_CHANNEL}`);
    await client.query(`listen ${OUTBOX_CHANNEL}`);
    if (signal.aborted) return;
    onListening();
    await closed;
  } finally {
    signal.removeEventListener("abort", stop);
    await client.end().catch(() => {});
  }
}

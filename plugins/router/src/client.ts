import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { TableKey, TableView } from "@helixstack/route-tables";
import type { Owner, RouteTable } from "@helixstack/sdk";
import type { RouterConfig } from "./config.ts";
import { type Refusal, refused, unreachable } from "./failures.ts";
import { ADMIN, type DrainInput, type DrainResult, type RevisionStats, type StatusAnswer } from "./protocol.ts";

/** The orders that the data plane takes. Each rejects with a `PluginError`. */
export interface RouterClient {
  status(): Promise<StatusAnswer>;
  table(key: TableKey): Promise<TableView | null>;
  tables(): Promise<readonly TableView[]>;
  apply(owner: Owner, table: RouteTable): Promise<TableView>;
  destroy(key: TableKey): Promise<void>;
  drain(input: DrainInput): Promise<DrainResult>;
  stats(): Promise<readonly RevisionStats[]>;
}

/** Talks to the data plane over its unix socket. */
export function routerClient({ socket }: Pick<RouterConfig, "socket">, signal: AbortSignal): RouterClient {
  const send = async <T>(path: string, body: unknown = {}): Promise<T> => (await order({ socket, path, body, signal, patienceMs: 0 })) as T;
  const insist = async <T>(path: string, body: unknown): Promise<T> =>
    (await order({ socket, path, body, signal, patienceMs: RESTART_MS })) as T;
  return {
    status: () => send(ADMIN.status),
    table: async ({ installation, unit }) => (await send<{ view: TableView | null }>(ADMIN.table, { installation, unit })).view,
    tables: () => send(ADMIN.tables),
    apply: (owner, table) => insist(ADMIN.apply, { owner, table }),
    destroy: async ({ installation, unit }) => void (await insist(ADMIN.destroy, { installation, unit })),
    drain: (input) => insist(ADMIN.drain, input),
    stats: () => send(ADMIN.stats),
  };
}

/** A data plane that was killed is up again within this. Orders that change something wait for it; a look does not. */
const RESTART_MS = 3_000;
const PAUSE_MS = 50;

interface Order {
  readonly socket: string;
  readonly path: string;
  readonly body: unknown;
  readonly signal: AbortSignal;
  /** How long to go on trying while nobody listens, milliseconds. */
  readonly patienceMs: number;
}

async function order(asked: Order): Promise<unknown> {
  const { status, text } = await insistently(asked).catch((error: unknown) => {
    throw unreachable(asked.socket, error);
  });
  const answer = JSON.parse(text) as { readonly error?: Refusal };
  if (status !== 200) throw refused(answer.error ?? { code: "INTERNAL", message: `it answered ${status}` });
  return answer;
}

/** Only what never reached anybody is sent again. */
async function insistently(asked: Order): ReturnType<typeof exchange> {
  const until = performance.now() + asked.patienceMs;
  for (;;) {
    try {
      return await exchange(asked);
    } catch (error) {
      const isAway = ["ECONNREFUSED", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "");
      if (!isAway || performance.now() >= until) throw error;
      await sleep(PAUSE_MS, undefined, { signal: asked.signal });
    }
  }
}

async function exchange({ socket, path, body, signal }: Order): Promise<{ status: number; text: string }> {
  const bytes = Buffer.from(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": bytes.length };
    const sent = request({ socketPath: socket, path, method: "POST", headers, signal, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    sent.on("error", reject);
    sent.end(bytes);
  });
}

import { EngineError } from "@helixstack/core/client";
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import type { Connection } from "../plane/home.ts";
import { backOff } from "./back-off.ts";
import { BrokenExchange, type Exchange, type Exchanger, createExchanger, textOf } from "./exchange.ts";
import { problemError } from "./problem.ts";

/** How to reach the API. `connection` is asked before each attempt: a plane that comes back may have another port. */
export interface HttpOptions {
  readonly connection: () => Connection | null;
  /** Milliseconds to go on trying while nobody answers, or the answer is "not just now". */
  readonly patienceMs: number;
  /** Told once a request that has to wait. */
  readonly onWaiting?: () => void;
  /** Called now and then while nobody answers: brings back what nobody else will bring back. */
  readonly revive?: () => Promise<void>;
}

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is; asked anew at each attempt. */
  readonly content?: () => Buffer | Readable;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether a request that may have arrived can be sent again. Default: for GET and PUT. */
  readonly repeatable?: boolean;
  readonly signal?: AbortSignal;
}

export interface Http {
  /** The JSON answer. Rejects with the error that the API names, or `PLANE_DOWN`. */
  readonly request: <T>(method: Method, path: string, options?: RequestOptions) => Promise<T>;
  /** The open answer of a stream. */
  readonly open: (path: string, options: RequestOptions) => Promise<AsyncIterable<Uint8Array>>;
}

type Method = "GET" | "POST" | "PUT" | "DELETE";

/** Tries between two looks at whether anybody is bringing the control plane back: about every second and a half. */
const REVIVE_EVERY = 5;

export function createHttp(options: HttpOptions): Http {
  const exchanger = createExchanger();
  return {
    request: async <T>(method: Method, path: string, request: RequestOptions = {}) => {
      const text = await patiently({ ...options, exchanger, read: textOf }, { method, path, request });
      return (text === "" ? undefined : JSON.parse(text)) as T;
    },
    open: (path, request) => patiently({ ...options, exchanger, read: async (answer) => answer }, { method: "GET", path, request }),
  };
}

interface Call {
  readonly method: Method;
  readonly path: string;
  readonly request: RequestOptions;
}

interface Trying<T> extends HttpOptions {
  readonly exchanger: Exchanger;
  readonly read: (answer: IncomingMessage) => Promise<T>;
}

async function patiently<T>(options: Trying<T>, call: Call): Promise<T> {
  const { signal } = call.request;
  const repeatable = call.request.repeatable ?? (call.method === "GET" || call.method === "PUT");
  const waiting = backOff({ forMs: options.patienceMs, signal });
  for (let tries = 1; ; tries++) {
    const outcome = await attempt(options, call);
    if (!outcome.error) return outcome.answer;
    if (!outcome.again || (outcome.mayHaveArrived && !repeatable)) throw outcome.error;
    if (tries === 1) options.onWaiting?.();
    if (tries % REVIVE_EVERY === 0 && outcome.error.code === "PLANE_DOWN") await options.revive?.();
    if (!(await waiting.pause())) throw outcome.error;
  }
}

type Outcome<T> =
  | { readonly answer: T; readonly error?: never }
  | { readonly error: EngineError; readonly again: boolean; readonly mayHaveArrived: boolean };

async function attempt<T>({ connection, exchanger, read }: Trying<T>, { method, path, request }: Call): Promise<Outcome<T>> {
  const target = connection();
  if (target === null) return { error: planeDown(null), again: true, mayHaveArrived: false };
  try {
    const url = target.url + path + queryOf(request.query);
    const response = await exchanger({ url, method, ...contentOf(request, target.token), signal: request.signal });
    const status = response.statusCode!;
    if (status >= 200 && status < 300) return { answer: await read(response) };
    const error = problemError(status, await textOf(response));
    return { error, again: isPassing(status, error), mayHaveArrived: false };
  } catch (error) {
    request.signal?.throwIfAborted();
    if (!isBroken(error)) throw error;
    return { error: planeDown(target.url, error), again: true, mayHaveArrived: error.code !== "ECONNREFUSED" };
  }
}

/** An answer may break off in the middle, too. */
function isBroken(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof BrokenExchange || (error instanceof Error && "code" in error && error.code === "ECONNRESET");
}

/** "Not just now". A secret store that is down was waited for already, and needs a person. */
function isPassing(status: number, { code }: EngineError): boolean {
  return (status === 503 || status === 429) && code !== "SECRET_STORE_DOWN";
}

function contentOf(request: RequestOptions, token: string | null): Pick<Exchange, "headers" | "body"> {
  const headers: Record<string, string> = { accept: "application/json, text/event-stream", ...request.headers };
  if (token !== null) headers["authorization"] = `Bearer ${token}`;
  if (request.content) return { headers, body: request.content() };
  if (request.body === undefined) return { headers, body: null };
  headers["content-type"] ??= "application/json";
  return { headers, body: JSON.stringify(request.body) };
}

function queryOf(query: RequestOptions["query"]): string {
  const pairs = Object.entries(query ?? {}).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]));
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs as [string, string][]).toString()}`;
}

function planeDown(url: string | null, cause?: NodeJS.ErrnoException): EngineError {
  if (url === null) return new EngineError("PLANE_DOWN", "No local plane is running.", { cause });
  return new EngineError("PLANE_DOWN", `The control plane at ${url} does not answer (${cause?.code}).`, { cause });
}

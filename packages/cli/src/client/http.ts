import { EngineError } from "@helixstack/core/client";
import type { Connection } from "../plane/home.ts";
import { backOff } from "./back-off.ts";
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
  /** JSON, or bytes. A function is asked for a fresh stream at each attempt. */
  readonly body?: unknown;
  readonly content?: () => NonNullable<RequestInit["body"]>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether a request that may have arrived can be sent again. Default: for GET and PUT. */
  readonly repeatable?: boolean;
  readonly signal?: AbortSignal;
}

export interface Http {
  /** The JSON answer. Rejects with the error that the API names, or `PLANE_DOWN`. */
  readonly request: <T>(method: Method, path: string, options?: RequestOptions) => Promise<T>;
  /** The open answer of a stream. */
  readonly open: (path: string, options: RequestOptions) => Promise<Response>;
}

type Method = "GET" | "POST" | "PUT" | "DELETE";

/** Tries between two looks at whether anybody is bringing the control plane back: about every second and a half. */
const REVIVE_EVERY = 5;

export function createHttp(options: HttpOptions): Http {
  return {
    request: async <T>(method: Method, path: string, request: RequestOptions = {}) => {
      const response = await patiently(options, { method, path, request });
      const text = await response.text();
      return (text === "" ? undefined : JSON.parse(text)) as T;
    },
    open: (path, request) => patiently(options, { method: "GET", path, request }),
  };
}

interface Call {
  readonly method: Method;
  readonly path: string;
  readonly request: RequestOptions;
}

async function patiently(options: HttpOptions, call: Call): Promise<Response> {
  const { signal } = call.request;
  const repeatable = call.request.repeatable ?? (call.method === "GET" || call.method === "PUT");
  const waiting = backOff({ forMs: options.patienceMs, signal });
  for (let tries = 1; ; tries++) {
    const outcome = await attempt(options, call);
    if (outcome.response) return outcome.response;
    signal?.throwIfAborted();
    if (!outcome.again || (outcome.mayHaveArrived && !repeatable)) throw outcome.error;
    if (tries === 1) options.onWaiting?.();
    if (tries % REVIVE_EVERY === 0 && outcome.error.code === "PLANE_DOWN") await options.revive?.();
    if (!(await waiting.pause())) throw outcome.error;
  }
}

type Outcome =
  | { readonly response: Response }
  | { readonly response?: never; readonly error: EngineError; readonly again: boolean; readonly mayHaveArrived: boolean };

async function attempt({ connection }: HttpOptions, { method, path, request }: Call): Promise<Outcome> {
  const target = connection();
  if (target === null) return { error: planeDown(null), again: true, mayHaveArrived: false };
  try {
    const response = await fetch(target.url + path + queryOf(request.query), initOf(method, { request, token: target.token }));
    if (response.ok) return { response };
    const error = await problemError(response);
    return { error, again: isPassing(response.status, error), mayHaveArrived: false };
  } catch (error) {
    if (request.signal?.aborted) throw error;
    if (!isNetworkError(error)) throw error;
    return { error: planeDown(target.url, error), again: !isRefusedPort(error), mayHaveArrived: networkCode(error) !== "ECONNREFUSED" };
  }
}

/** "Not just now". A secret store that is down was waited for already, and needs a person. */
function isPassing(status: number, { code }: EngineError): boolean {
  return (status === 503 || status === 429) && code !== "SECRET_STORE_DOWN";
}

function initOf(method: Method, { request, token }: { request: RequestOptions; token: string | null }): RequestInit {
  const headers: Record<string, string> = { accept: "application/json, text/event-stream", ...request.headers };
  if (token !== null) headers["authorization"] = `Bearer ${token}`;
  const init: RequestInit & { duplex?: "half" } = { method, headers, redirect: "error" };
  if (request.signal) init.signal = request.signal;
  if (request.content) {
    init.body = request.content();
    init.duplex = "half";
  } else if (request.body !== undefined) {
    headers["content-type"] ??= "application/json";
    init.body = JSON.stringify(request.body);
  }
  return init;
}

function queryOf(query: RequestOptions["query"]): string {
  const pairs = Object.entries(query ?? {}).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]));
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs as [string, string][]).toString()}`;
}

function planeDown(url: string | null, cause?: unknown): EngineError {
  if (url === null) return new EngineError("PLANE_DOWN", "No local plane is running.", { cause });
  const reason = networkCode(cause) ?? (isRefusedPort(cause) ? REFUSED_PORT : "no answer");
  return new EngineError("PLANE_DOWN", `The control plane at ${url} does not answer (${reason}).`, { cause });
}

/** fetch reports network failures as a TypeError with the cause's code. What a body's own stream failed with is none. */
function isNetworkError(error: unknown): boolean {
  return error instanceof TypeError && (/^(E[A-Z]+$|UND_ERR_)/.test(networkCode(error) ?? "") || isRefusedPort(error));
}

const REFUSED_PORT = "bad port";

/** Ports of other protocols (9, 25, 6000) are never asked, by the standard. */
function isRefusedPort(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof Error && error.cause.message === REFUSED_PORT;
}

function networkCode(error: unknown): string | null {
  const cause = error instanceof Error ? error.cause : null;
  return cause instanceof Error && "code" in cause ? String(cause.code) : null;
}

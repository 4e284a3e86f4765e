import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import { connect } from "node:net";
import type { Endpoint } from "@helixstack/sdk";

/** How one look at an endpoint ended. */
export interface Probe {
  readonly isHealthy: boolean;
  /** What was asked and what came back, for people (`GET http://127.0.0.1:4001/health answered 503`). */
  readonly said: string;
}

/** What is asked of an endpoint that answers HTTP; null asks for `/`, and anything below 500 will do. */
export interface ProbeOptions {
  readonly path: string | null;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Looks once. Never rejects. Redirects are answers, not orders. */
export function probe(endpoint: Exclude<Endpoint, { kind: "none" }>, options: ProbeOptions): Promise<Probe> {
  if (endpoint.kind === "tcp") return probeTcp(endpoint, options);
  const base =
    endpoint.kind === "http"
      ? `http://${endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`
      : endpoint.url;
  // Put together as text: a path that begins with two slashes would name another host.
  return probeHttp(new URL(`${new URL(base).origin}${options.path ?? "/"}`), options);
}

function probeHttp(url: URL, { path, timeoutMs, signal }: ProbeOptions): Promise<Probe> {
  const asked = `GET ${url.href}`;
  return new Promise((resolve) => {
    const get = url.protocol === "https:" ? httpsGet : httpGet;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    // A connection of its own: one that is kept would be open while the application is to be stopped.
    const request = get(url, { agent: false, signal: limit, headers: { "user-agent": "helix-health/1", accept: "*/*" } }, (response) => {
      const status = response.statusCode ?? 0;
      response.destroy();
      resolve({ isHealthy: path === null ? status < 500 : status >= 200 && status < 400, said: `${asked} answered ${status}` });
    });
    request.on("error", (error) => resolve({ isHealthy: false, said: `${asked} ${reason(error, { signal, timeoutMs })}` }));
  });
}

function probeTcp({ host, port }: { host: string; port: number }, { timeoutMs, signal }: ProbeOptions): Promise<Probe> {
  const asked = `connecting to ${host}:${port}`;
  return new Promise((resolve) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const socket = connect({ host, port, signal: limit });
    const end = (result: Probe) => {
      socket.destroy();
      resolve(result);
    };
    socket.on("connect", () => end({ isHealthy: true, said: `${asked} succeeded` }));
    socket.on("error", (error) => end({ isHealthy: false, said: `${asked} ${reason(error, { signal, timeoutMs })}` }));
  });
}

function reason(error: Error, { signal, timeoutMs }: { signal: AbortSignal; timeoutMs: number }): string {
  if (error.name === "AbortError" || error.name === "TimeoutError") {
    return signal.aborted ? "was given up" : `did not answer within ${timeoutMs / 1000} s`;
  }
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ECONNREFUSED") return "was refused: nothing listens there";
  if (code === "ECONNRESET") return "was cut off before an answer";
  return `failed: ${error.message}`;
}

import { once } from "node:events";
import { type IncomingMessage, type RequestListener, type RequestOptions, type Server, createServer, request } from "node:http";
import { type AddressInfo, type Socket, connect, createServer as createTcp } from "node:net";
import { tmpdir } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { PluginContext, Route, RouteTable, Target } from "@helixstack/sdk";
import { WebSocketServer } from "ws";

export const HOST = "web.production.shop.localhost";

export function tableOf(generation: number, routes: readonly Partial<Route>[]): RouteTable {
  return {
    generation,
    routes: routes.map((route) => ({ service: "web", hosts: [HOST], port: null, bind: [], targets: [], holdMs: null, ...route })),
  };
}

export function target(port: number, options: Partial<Target> = {}): Target {
  return { revision: `rev-${port}`, release: null, endpoint: { kind: "http", host: "127.0.0.1", port }, weight: 1, ...options };
}

/** What a plugin gets in a call about one environment. */
export function contextOf<Config>(config: Config, unit: string): PluginContext<Config> {
  const silent = (): void => undefined;
  return {
    config,
    identity: {
      installation: "inst",
      organization: "org",
      project: "prj",
      environment: "env",
      unit,
      revision: unit,
      names: { project: "shop", environment: "production", service: "" },
    },
    operationId: "op",
    fence: 1,
    signal: new AbortController().signal,
    log: { debug: silent, info: silent, warn: silent, error: silent },
    progress: silent,
    secret: () => Promise.reject(new Error("none")),
    resolve: () => Promise.reject(new Error("none")),
    workdir: tmpdir(),
    home: tmpdir(),
  };
}

export interface Upstream {
  readonly server: Server;
  readonly port: number;
  readonly seen: IncomingMessage[];
  readonly close: () => Promise<void>;
}

/** A real application. */
export async function makeUpstream(listener: RequestListener, port = 0): Promise<Upstream> {
  const seen: IncomingMessage[] = [];
  const server = createServer((req, res) => {
    seen.push(req);
    listener(req, res);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    server,
    seen,
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A WebSocket server that listens. */
export async function makeWebSocketServer(): Promise<{ server: WebSocketServer; port: number }> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

/** A server that answers with bytes as given, for every connection. */
export async function makeRawUpstream(onData: (socket: Socket, bytes: Buffer) => void): Promise<{ port: number; close: () => void }> {
  const sockets = new Set<Socket>();
  const server = createTcp((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => onData(socket, bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly raw: readonly string[];
  readonly body: string;
}

export async function get(port: number, options: RequestOptions & { body?: string | Buffer } = {}): Promise<Answer> {
  const { body, ...rest } = options;
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: "127.0.0.1", port, agent: false, ...rest, headers: { host: HOST, ...(rest.headers as object) } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            raw: answer.rawHeaders,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Sends bytes and reads until the other side closes, or for `ms`. */
export async function raw(port: number, bytes: string | Buffer, ms = 1500): Promise<{ text: string; isClosed: boolean }> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const chunks: Buffer[] = [];
    const finish = (isClosed: boolean) => (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text: Buffer.concat(chunks).toString("latin1"), isClosed });
    };
    const timer = setTimeout(finish(false), ms);
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", () => undefined);
    socket.on("close", finish(true));
    socket.write(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes);
  });
}

export async function until(isTrue: () => boolean | Promise<boolean>, ms = 6000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain`);
    await sleep(10);
  }
}

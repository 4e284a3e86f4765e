import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingMessage, type RequestListener, type RequestOptions, type Server, createServer, request } from "node:http";
import { type AddressInfo, type Socket, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { PluginContext, Route, RouteTable, Target } from "@helixstack/sdk";
import Value from "typebox/value";
import { WebSocketServer } from "ws";
import { type RouterClient, routerClient } from "../src/client.ts";
import { type Limits, type RouterConfig, configSchema } from "../src/config.ts";
import { delivery } from "../src/delivery.ts";

const ENTRY = fileURLToPath(new URL("../dist/data-plane/main.js", import.meta.url));

export interface World {
  readonly config: RouterConfig;
  readonly client: RouterClient;
  /** The unit that is meant where none is named; a port derives from it, so that worlds do not meet. */
  readonly unit: string;
  readonly ctx: (unit?: string) => PluginContext<RouterConfig>;
  readonly apply: (
    routes: readonly Partial<Route>[],
    options?: { unit?: string; generation?: number },
  ) => ReturnType<typeof delivery.apply>;
  readonly start: () => Promise<void>;
  readonly kill: (signal?: NodeJS.Signals) => Promise<void>;
  readonly pid: () => number;
  readonly logs: () => string;
  readonly stop: () => Promise<void>;
}

/** A real data plane process with a folder of its own. */
export async function makeWorld(options: { limits?: Partial<Limits>; httpPort?: number; trustForwarded?: boolean } = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "helix-router-"));
  const config = Value.Default(configSchema, {
    socket: join(folder, "run", "router.sock"),
    stateDir: join(folder, "state"),
    httpPort: options.httpPort ?? 0,
    trustForwarded: options.trustForwarded ?? false,
    limits: options.limits ?? {},
  }) as RouterConfig;
  let child: ChildProcess | null = null;
  const children: ChildProcess[] = [];
  let output = "";
  let generation = 0;
  const client = routerClient(config, new AbortController().signal);
  const start = async (): Promise<void> => {
    child = spawn(process.execPath, [ENTRY], {
      env: { ...process.env, HELIX_PLUGIN_CONFIG: JSON.stringify(config) },
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    await until(async () => (await client.status().catch(() => null)) !== null, 15_000);
  };
  const kill = async (signal: NodeJS.Signals = "SIGKILL"): Promise<void> => {
    for (const running of children) {
      if (running.exitCode !== null || running.signalCode !== null) continue;
      const ended = new Promise((resolve) => running.once("exit", resolve));
      running.kill(signal);
      await ended;
    }
  };
  const own = `unit-${randomUUID()}`;
  const ctx = (unit = own): PluginContext<RouterConfig> => contextOf(config, unit);
  await start();
  return {
    config,
    client,
    unit: own,
    ctx,
    start,
    kill,
    apply: async (routes, { unit, generation: given } = {}) => {
      generation = given ?? generation + 1;
      return delivery.apply(ctx(unit), { table: tableOf(generation, routes), prior: null });
    },
    pid: () => child?.pid ?? 0,
    logs: () => output,
    stop: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

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

function contextOf(config: RouterConfig, unit: string): PluginContext<RouterConfig> {
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
  const { createServer: createTcp } = await import("node:net");
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

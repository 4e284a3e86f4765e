import { createHash } from "node:crypto";
import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** One request that arrived. */
interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export type Handler = (request: Seen, response: ServerResponse) => void | Promise<void>;

/** A control plane as the command sees it, on a real socket. */
export interface ApiServer {
  readonly url: string;
  readonly seen: readonly Seen[];
  /** Stops as `kill -9` would: every connection breaks. */
  readonly kill: () => Promise<void>;
  /** Comes back at the same address. */
  readonly restart: () => Promise<void>;
}

/** `routes` map `METHOD /path` (a path may end in `*`) to what answers. */
export async function startApi(routes: Readonly<Record<string, Handler>>): Promise<ApiServer> {
  const seen: Seen[] = [];
  const sockets = new Set<Socket>();
  let server: Server;
  const listen = (port: number) =>
    new Promise<number>((resolve, reject) => {
      server = createServer((request, response) => void handle(request, response, { routes, seen }).catch(() => response.destroy()));
      server.on("connection", (socket) => {
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
      });
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
    });
  const port = await listen(0);
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    kill: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
    restart: async () => void (await listen(port)),
  };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  { routes, seen }: { routes: Readonly<Record<string, Handler>>; seen: Seen[] },
) {
  const path = decodeURIComponent(new URL(request.url!, "http://x").pathname);
  const body = await bodyOf(request);
  const one: Seen = { method: request.method!, path, headers: request.headers, body };
  seen.push(one);
  const key = `${one.method} ${path}`;
  const handler =
    routes[key] ?? Object.entries(routes).find(([pattern]) => pattern.endsWith("*") && key.startsWith(pattern.slice(0, -1)))?.[1];
  if (handler) await handler(one, response);
  else problem(response, { status: 404, code: "ROUTE_NOT_FOUND", detail: `no ${key}` });
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const sum = createHash("sha256");
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sum.update(chunk);
    size += chunk.length;
    if (size < 1_000_000) chunks.push(chunk);
  }
  // Large bodies are known by digest alone.
  return size < 1_000_000 ? Buffer.concat(chunks) : Buffer.from(`${size} sha256:${sum.digest("hex")}`);
}

export function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

export function problem(
  response: ServerResponse,
  { status, ...rest }: { status: number; code: string; detail: string; [more: string]: unknown },
): void {
  response.writeHead(status, { "content-type": "application/problem+json" }).end(JSON.stringify({ status, ...rest }));
}

/** Takes lists of sources once it has their contents; asks for them all before. */
export function takesSource(digest: string): Readonly<Record<string, Handler>> {
  const stored = new Set<string>();
  return {
    "POST /v1/blobs": ({ body }, response) => {
      for (const [, one] of body.toString().matchAll(/(sha256:[0-9a-f]{64}) \d+\n/g)) stored.add(one!);
      json(response, { stored: 1 });
    },
    "PUT /v1/blobs/*": ({ path }, response) => {
      stored.add(path.split("/").at(-1)!);
      response.writeHead(204).end();
    },
    "POST /v1/snapshots": ({ body }, response) => {
      const { entries } = JSON.parse(body.toString()) as { entries: { digest?: string }[] };
      const missing = [...new Set(entries.flatMap((entry) => entry.digest ?? []))].filter((one) => !stored.has(one));
      if (missing.length === 0) json(response, { digest, sizeBytes: 1 });
      else problem(response, { status: 422, code: "SNAPSHOT_INCOMPLETE", detail: "not all here", details: { missing } });
    },
  };
}

/** Begins an event stream. */
export function stream(response: ServerResponse): (event: { id?: number | string; event?: string; data: unknown }) => void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
  return ({ id, event, data }) =>
    void response.write(
      `${id === undefined ? "" : `id: ${id}\n`}${event === undefined ? "" : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`,
    );
}

import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { Duplex } from "node:stream";
import type { Socket } from "node:net";
import type { OwnAnswer } from "./answers.ts";
import { connectionOf, endConnection, enqueue, openConnection } from "./connection.ts";
import { Exchange } from "./exchange.ts";
import type { Plane } from "./plane.ts";
import { REFUSAL } from "./refusals.ts";
import { upgrade } from "./upgrade.ts";

/** A server for one port. Node's strict parser reads; what it lets through is judged by `readIncoming`. Not listening yet. */
export function makeServer(plane: Plane, port: number): Server {
  const { limits } = plane.settings;
  const server = createServer({
    insecureHTTPParser: false,
    // Judged by us, with an answer that says so.
    requireHostHeader: false,
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersTimeoutMs,
    // A body may take as long as it keeps coming: RequestBody watches over it.
    requestTimeout: 0,
    keepAliveTimeout: limits.idleTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, Math.ceil(limits.headersTimeoutMs / 4)),
    noDelay: true,
    // Finds clients whose machine is gone.
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
  });
  // Above its limit Node drops headers without a word; the size and `headerCount` bound them instead.
  server.maxHeadersCount = 0;
  // Without it Node drops the answer to a client that closes its sending side; what that may mean is judged by the connection.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on("connection", (socket: Socket) => openConnection(plane, socket));
  server.on("request", (req, res) => accept(req, res, { port, expectsContinue: false }));
  server.on("checkContinue", (req, res) => accept(req, res, { port, expectsContinue: true }));
  server.on("checkExpectation", (req, res) => accept(req, res, { port, expectsContinue: false, refusal: REFUSAL.expectation }));
  server.on("upgrade", (req, socket, head) => upgrade(server, { req, socket: socket as Socket, head, port }));
  server.on("connect", (_req: IncomingMessage, socket: Duplex) => endConnection(socket as Socket, REFUSAL.method));
  server.on("clientError", onClientError);
  return server;
}

interface AcceptOptions {
  readonly port: number;
  readonly expectsContinue: boolean;
  readonly refusal?: OwnAnswer;
}

function accept(req: IncomingMessage, res: ServerResponse, { port, expectsContinue, refusal }: AcceptOptions): void {
  const connection = connectionOf(req.socket);
  if (connection === undefined) {
    req.socket.destroy();
    return;
  }
  enqueue(connection, new Exchange(connection, { req, res, port, expectsContinue, ...(refusal && { refusal }) }));
}

/** The bytes of a connection cannot be read as HTTP any more. Requests before them are answered; then it is told why, and closed. */
function onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  const client = socket as Socket;
  const connection = connectionOf(client);
  if (connection === undefined || error.code === "ECONNRESET" || error.code === "EPIPE" || error.code === "HPE_INVALID_EOF_STATE") {
    client.destroy();
    return;
  }
  if (connection.broken !== null) return;
  connection.broken = refusalOf(error.code);
  const { current } = connection;
  if (current === null) endConnection(client, connection.broken);
  else if (!current.isRead) current.refuse(connection.broken);
}

function refusalOf(code: string | undefined): OwnAnswer {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return REFUSAL.headersTooLarge;
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return REFUSAL.slow;
    default:
      return REFUSAL.malformed;
  }
}

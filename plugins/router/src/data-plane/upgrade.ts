import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";
import { connectionOf, endConnection } from "./connection.ts";
import { isRefused, readIncoming } from "./incoming.ts";
import { REFUSAL } from "./refusals.ts";
import { UpgradeAttempt } from "./upgrade-attempt.ts";

export interface UpgradeInput {
  readonly req: IncomingMessage;
  readonly socket: Socket;
  /** What came after the head in the same read. */
  readonly head: Buffer;
  readonly port: number;
}

const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
/** Protocols that carry requests of their own, past every check: they are served as if no upgrade had been asked for. */
const NOT_TUNNELLED = /^(?:h2c?|http|tls)$/i;

/** Takes a request that asks for another protocol. */
export function upgrade(server: Server, input: UpgradeInput): void {
  const { req, socket } = input;
  const connection = connectionOf(socket);
  // Pipelined behind a request that is still being answered: its bytes would mix with that answer.
  if (connection === undefined || connection.current !== null) {
    socket.destroy();
    return;
  }
  socket.on("error", () => socket.destroy());
  const incoming = readIncoming(connection.plane, req, input.port);
  if (isRefused(incoming)) {
    endConnection(socket, incoming);
    return;
  }
  const protocol = incoming.head.upgrade ?? "";
  if (req.method !== "GET" || req.httpVersion !== "1.1" || !TOKEN.test(protocol) || NOT_TUNNELLED.test(protocol)) {
    replay(server, input);
    return;
  }
  if (incoming.hasBody) {
    endConnection(socket, REFUSAL.upgradeWithBody);
    return;
  }
  new UpgradeAttempt(connection, { ...input, incoming, protocol }).begin();
}

/**
 * Gives the request back to the server without its wish to upgrade, as RFC 9110 (7.8) allows. Node has taken its parser off the socket
 * by now, so the head is written out again and read anew, together with the body behind it. Java's client asks so with each request.
 */
function replay(server: Server, { req, socket, head }: UpgradeInput): void {
  const lines = [`${req.method} ${req.url} HTTP/${req.httpVersion}`];
  const raw = req.rawHeaders;
  for (let i = 0; i < raw.length; i += 2) {
    const line = ordinaryHeader(raw[i] as string, raw[i + 1] as string);
    if (line !== null) lines.push(line);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]));
  server.emit("connection", socket);
}

function ordinaryHeader(name: string, value: string): string | null {
  const lower = name.toLowerCase();
  if (lower === "upgrade" || lower === "http2-settings") return null;
  if (lower !== "connection") return `${name}: ${value}`;
  const kept = value.split(",").filter((token) => !["upgrade", "http2-settings"].includes(token.trim().toLowerCase()));
  return kept.length === 0 ? null : `${name}: ${kept.join(",")}`;
}

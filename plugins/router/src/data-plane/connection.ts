import type { Socket } from "node:net";
import { type OwnAnswer, rawAnswer } from "./answers.ts";
import type { Exchange } from "./exchange.ts";
import type { Plane } from "./plane.ts";

const CONNECTION = Symbol("connection");
const CLOSE_MS = 500;
const HALF_CLOSED_MS = 1000;

/** A client's connection. Its requests are served one after the other, whatever was pipelined. */
export interface Connection {
  readonly plane: Plane;
  readonly socket: Socket;
  /** The client's address, without the IPv4-in-IPv6 prefix. */
  readonly remote: string;
  current: Exchange | null;
  readonly waiting: Exchange[];
  /** So many wait that no more is read. */
  isPaused: boolean;
  /** The answer that is being sent is the last: what was pipelined behind it is not served. */
  isClosing: boolean;
  /** Set when the bytes can no longer be read as HTTP: what is said once the requests before them are answered. */
  broken: OwnAnswer | null;
}

interface Tracked extends Socket {
  [CONNECTION]?: Connection;
}

/** Takes a new connection, or closes it when there are too many. */
export function openConnection(plane: Plane, socket: Socket): void {
  // A connection that comes back from an upgrade that was not one is known already.
  if ((socket as Tracked)[CONNECTION] !== undefined) return;
  if (plane.connections.size >= plane.settings.limits.maxConnections || plane.isStopping) {
    socket.destroy();
    return;
  }
  const connection: Connection = {
    plane,
    socket,
    remote: remoteOf(socket),
    current: null,
    waiting: [],
    isPaused: false,
    isClosing: false,
    broken: null,
  };
  (socket as Tracked)[CONNECTION] = connection;
  plane.connections.add(connection);
  socket.on("close", forget);
  socket.on("end", onHalfClosed);
}

export function connectionOf(socket: Socket): Connection | undefined {
  return (socket as Tracked)[CONNECTION];
}

/** Lets a request have its turn. */
export function enqueue(connection: Connection, exchange: Exchange): void {
  if (connection.isClosing) {
    exchange.abandon();
    return;
  }
  if (connection.current === null) {
    connection.current = exchange;
    exchange.begin();
    return;
  }
  connection.waiting.push(exchange);
  // What was read already is still parsed; nothing more is read until the requests before are answered.
  if (connection.waiting.length < connection.plane.settings.limits.pipelined) return;
  connection.isPaused = true;
  connection.socket.pause();
}

/** A request is over: the next one, or what is left to say. */
export function next(connection: Connection, finished: Exchange): void {
  if (connection.current !== finished) return;
  if (connection.isClosing) abandonWaiting(connection);
  const following = connection.waiting.shift() ?? null;
  connection.current = following;
  if (connection.isPaused && connection.waiting.length === 0) {
    connection.isPaused = false;
    connection.socket.resume();
  }
  if (following !== null) following.begin();
  else if (connection.broken !== null) endConnection(connection.socket, connection.broken);
}

/** Says one thing and closes. Stays a moment, so that the client gets to read it. */
export function endConnection(socket: Socket, answer: OwnAnswer): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(rawAnswer(answer));
  const timer = setTimeout(() => socket.destroy(), CLOSE_MS);
  socket.once("close", () => clearTimeout(timer));
}

/**
 * A client that sends no more may have left, or may only have said all that it had to say: from here they look the same. It gets a moment for its
 * answer. If one is under way after that, the bytes themselves find out whether anybody is there.
 */
function onHalfClosed(this: Tracked): void {
  const written = this.bytesWritten;
  const timer = setTimeout(() => {
    if (this.bytesWritten === written) this.destroy();
  }, HALF_CLOSED_MS);
  this.once("close", () => clearTimeout(timer));
}

function forget(this: Tracked): void {
  const connection = this[CONNECTION];
  if (connection === undefined) return;
  connection.plane.connections.delete(connection);
  abandonWaiting(connection);
}

function abandonWaiting(connection: Connection): void {
  for (const exchange of connection.waiting.splice(0)) exchange.abandon();
}

function remoteOf(socket: Socket): string {
  const address = socket.remoteAddress ?? "unknown";
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}

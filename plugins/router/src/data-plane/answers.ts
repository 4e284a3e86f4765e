import { type IncomingMessage, STATUS_CODES, type ServerResponse } from "node:http";
import { requestId } from "./request-id.ts";

/** An answer that the router makes itself. */
export interface OwnAnswer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers?: readonly string[];
  /** The connection ends after it: its framing is in doubt, or a body is still to come. */
  readonly close?: boolean;
}

const LINGER_MS = 3000;

/**
 * Answers. Where a body is still coming, it is read and thrown away for a while after the answer: a connection that is closed with
 * unread bytes is reset, and the client would never see what it was told.
 */
export function sendAnswer(
  req: IncomingMessage,
  res: ServerResponse,
  { answer, id }: { readonly answer: OwnAnswer; readonly id: string },
): void {
  const unread = !req.complete;
  const body = render(answer, { id, asJson: wantsJson(req) });
  if (isLast(req, answer)) res.shouldKeepAlive = false;
  res.writeHead(answer.status, [...bodyHeaders(body), "X-Request-Id", id, ...(answer.headers ?? [])]);
  if (!unread || answer.close === true) {
    res.end(body.bytes);
    return;
  }
  res.write(body.bytes);
  linger(req, res);
}

/** `OPTIONS *` is about the router itself. */
export function answerForAll(res: ServerResponse, id: string): void {
  res.writeHead(200, ["Content-Length", "0", "Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS", "X-Request-Id", id]);
  res.end();
}

/** Whether the connection ends with this answer. */
export function isLast(req: IncomingMessage, answer: OwnAnswer): boolean {
  return answer.close === true || !req.complete;
}

/** The same for a connection on which nothing can be parsed any more. */
export function rawAnswer(answer: OwnAnswer): Buffer {
  const id = requestId(null);
  const body = render(answer, { id, asJson: false });
  const headers = [...bodyHeaders(body), "X-Request-Id", id, ...(answer.headers ?? [])];
  const lines = [`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ""}`, "Connection: close"];
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), body.bytes]);
}

function linger(req: IncomingMessage, res: ServerResponse): void {
  const end = (): void => {
    clearTimeout(timer);
    res.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  res.once("close", () => clearTimeout(timer));
  req.once("end", end);
  req.resume();
}

interface Body {
  readonly type: string;
  readonly bytes: Buffer;
}

function render(answer: OwnAnswer, { id, asJson }: { readonly id: string; readonly asJson: boolean }): Body {
  const { status, code, message } = answer;
  if (asJson)
    return { type: "application/json", bytes: Buffer.from(`${JSON.stringify({ error: { status, code, message, requestId: id } })}\n`) };
  return {
    type: "text/plain; charset=utf-8",
    bytes: Buffer.from(`${status} ${STATUS_CODES[status] ?? code}\n\n${message}\nRequest id: ${id}\n`),
  };
}

function bodyHeaders(body: Body): readonly string[] {
  return [
    "Content-Type",
    body.type,
    "Content-Length",
    String(body.bytes.length),
    "Cache-Control",
    "no-store",
    "X-Content-Type-Options",
    "nosniff",
    "Server",
    "helix-router",
  ];
}

function wantsJson(req: IncomingMessage): boolean {
  return req.headers.accept?.includes("application/json") ?? false;
}

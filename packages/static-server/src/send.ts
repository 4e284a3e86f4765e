import { createReadStream } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { SiteFile } from "./files.ts";
import { type ByteRange, readRange } from "./range.ts";

export interface SendOptions {
  readonly file: SiteFile;
  /** Goes into the entity tag, so that two builds never share one by chance of size and time. */
  readonly tag: string;
  readonly isImmutable: boolean;
}

/** Answers with a file: conditions, then ranges, then the whole, by RFC 9110. */
export function sendFile(request: IncomingMessage, response: ServerResponse, options: SendOptions): void {
  const { file } = options;
  const entityTag = `"${file.size.toString(36)}-${Math.floor(file.modified.getTime()).toString(36)}-${options.tag}"`;
  response.setHeader("ETag", entityTag);
  response.setHeader("Last-Modified", file.modified.toUTCString());
  response.setHeader("Cache-Control", options.isImmutable ? "public, max-age=31536000, immutable" : "no-cache");
  if (isFresh(request, { entityTag, modified: file.modified })) return void response.writeHead(304).end();
  response.setHeader("Accept-Ranges", "bytes");
  response.setHeader("Content-Type", file.type);
  const isRangeMeant = [undefined, entityTag].includes(request.headers["if-range"] as string | undefined);
  const range = request.method === "GET" && isRangeMeant ? readRange(request.headers.range, file.size) : null;
  if (range === "unsatisfiable") return refuseRange(response, file.size);
  if (range !== null) response.setHeader("Content-Range", `bytes ${range.start}-${range.end}/${file.size}`);
  const bytes = range ?? { start: 0, end: file.size - 1 };
  response.writeHead(range === null ? 200 : 206, { "Content-Length": bytes.end - bytes.start + 1 });
  if (request.method === "HEAD") response.end();
  else sendBytes(response, file, bytes);
}

function sendBytes(response: ServerResponse, file: SiteFile, bytes: ByteRange): void {
  if (file.content !== null) return void response.end(file.content.subarray(bytes.start, bytes.end + 1));
  const stream = createReadStream(file.real, { start: bytes.start, end: bytes.end });
  // The length is promised already: only a cut connection tells the client that something is missing.
  stream.once("error", () => response.destroy());
  // A client that goes away must not leave the file open.
  response.once("close", () => stream.destroy());
  stream.pipe(response);
}

function isFresh(request: IncomingMessage, current: { readonly entityTag: string; readonly modified: Date }): boolean {
  const tags = request.headers["if-none-match"];
  if (tags !== undefined) return tags.split(",").some((tag) => ["*", current.entityTag].includes(tag.trim().replace(/^W\//, "")));
  const since = Date.parse(request.headers["if-modified-since"] ?? "");
  return Number.isFinite(since) && Math.floor(current.modified.getTime() / 1000) * 1000 <= since;
}

function refuseRange(response: ServerResponse, size: number): void {
  response.writeHead(416, { "Content-Range": `bytes */${size}`, "Content-Length": 0 }).end();
}

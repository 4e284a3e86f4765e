import type { IncomingMessage } from "node:http";
import type { OwnAnswer } from "./answers.ts";
import { hostName } from "@helixstack/route-tables";
import { BY_HOST, type Plane } from "./plane.ts";
import { REFUSAL, bodyTooLarge, headRefusal, targetRefusal } from "./refusals.ts";
import { type RequestHead, readHead } from "./request-head.ts";
import { readTarget } from "./request-target.ts";

/** A request that may be routed. */
export interface Incoming {
  readonly head: RequestHead;
  readonly path: string;
  /** The authority as the client wrote it; what the target sees as Host. */
  readonly authority: string;
  /** The same, ready to be looked up. */
  readonly host: string;
  readonly hasBody: boolean;
}

const REFUSED_METHODS = new Set(
  "TRACE CONNECT SOURCE DESCRIBE ANNOUNCE SETUP PLAY PAUSE TEARDOWN GET_PARAMETER SET_PARAMETER REDIRECT RECORD FLUSH".split(" "),
);
const MAX_HOPS = 16;

/** Reads and judges a request's head: what may be routed, or the answer that refuses it. */
export function readIncoming(plane: Plane, req: IncomingMessage, port: number): Incoming | OwnAnswer {
  const isHttp11 = req.httpVersionMajor === 1 && req.httpVersionMinor === 1;
  if (!isHttp11 && !(req.httpVersionMajor === 1 && req.httpVersionMinor === 0)) return REFUSAL.version;
  const { trustForwarded, limits } = plane.settings;
  const head = readHead(req.rawHeaders, { trustForwarded, maxPairs: limits.headerCount, isHttp11 });
  if (typeof head === "string") return headRefusal(head);
  const method = req.method as string;
  if (REFUSED_METHODS.has(method)) return REFUSAL.method;
  const target = readTarget(method, req.url as string);
  if (typeof target === "string") return targetRefusal(target);
  // HTTP/1.0 knows no Host; on a port that is one service's alone it needs none.
  const given = head.host ?? (isHttp11 || port === BY_HOST ? null : "localhost");
  if (given === null || hostName(given) === null) return REFUSAL.badHost;
  const authority = target.authority ?? given;
  if (head.hops >= MAX_HOPS) return REFUSAL.loop;
  if (isTooLong(head.contentLength, limits.bodyBytes)) return bodyTooLarge(limits.bodyBytes);
  const hasBody = head.chunked || (head.contentLength !== null && Number(head.contentLength) > 0);
  return { head, path: target.path, authority, host: hostName(authority) as string, hasBody };
}

export function isRefused(incoming: Incoming | OwnAnswer): incoming is OwnAnswer {
  return "status" in incoming;
}

/** A number beyond 2^53 is not exact, but the limit is far below it, so that the answer is. */
function isTooLong(length: string | null, limit: number): boolean {
  return length !== null && Number(length) > limit;
}

import { withoutListed } from "./connection-header.ts";
import { KIND, headerKind } from "./header-kinds.ts";

/** What the router needs of a request's headers, read once. */
export interface RequestHead {
  /** The end-to-end headers in order and case as sent: name, value, name, value. Host is not among them. */
  headers: string[];
  host: string | null;
  /** Decimal digits, as the parser let them through; null when there is none. */
  contentLength: string | null;
  chunked: boolean;
  requestId: string | null;
  forwardedFor: string | null;
  hasForwardedHost: boolean;
  hasForwardedProto: boolean;
  upgrade: string | null;
  /** Times that this request has passed a router of this kind. */
  hops: number;
}

/** Why a head is refused. */
export type HeadFault = "host" | "framing" | "coding" | "count";

export interface HeadOptions {
  readonly trustForwarded: boolean;
  readonly maxPairs: number;
  /** HTTP/1.0 has no chunked coding: a request that uses it there is read differently by different servers. */
  readonly isHttp11: boolean;
}

export const VIA = "helix-router";

/** Sorts the raw headers of a request. What the parser lets through and RFC 9112 does not is refused here. */
export function readHead(raw: readonly string[], options: HeadOptions): RequestHead | HeadFault {
  if (raw.length > options.maxPairs * 2) return "count";
  const head = emptyHead();
  let connection: string | null = null;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    const value = raw[i + 1] as string;
    const kind = headerKind(name);
    if (kind === KIND.pass || kind === KIND.contentType) head.headers.push(name, value);
    else if (kind === KIND.connection) connection = connection === null ? value : `${connection}, ${value}`;
    else {
      const fault = readSpecial(head, kind, name, value, options);
      if (fault !== null) return fault;
    }
  }
  if (head.chunked && (head.contentLength !== null || !options.isHttp11)) return "framing";
  if (connection !== null) head.headers = withoutListed(head.headers, connection);
  return head;
}

function readSpecial(head: RequestHead, kind: number, name: string, value: string, options: HeadOptions): HeadFault | null {
  switch (kind) {
    case KIND.host:
      if (head.host !== null) return "host";
      head.host = value;
      return null;
    case KIND.contentLength:
      if (head.contentLength !== null) return "framing";
      head.contentLength = value;
      return null;
    case KIND.transferEncoding:
      if (head.chunked) return "framing";
      head.chunked = true;
      return codingFault(value.toLowerCase());
    case KIND.requestId:
      head.requestId = value;
      return null;
    case KIND.upgrade:
      head.upgrade = head.upgrade === null ? value : `${head.upgrade}, ${value}`;
      return null;
    case KIND.via:
      head.hops += value.split(VIA).length - 1;
      head.headers.push(name, value);
      return null;
    default:
      readForwarded(head, kind, name, value, options);
      return null;
  }
}

/** A coding before chunked would be passed on undone, and the target not know of it; without chunked at the end there is no end. */
function codingFault(value: string): HeadFault | null {
  if (value === "chunked") return null;
  return /[ \t,]chunked$/.test(value) ? "coding" : "framing";
}

function readForwarded(head: RequestHead, kind: number, name: string, value: string, options: HeadOptions): void {
  if (!options.trustForwarded) return;
  if (kind === KIND.forwardedFor) head.forwardedFor = head.forwardedFor === null ? value : `${head.forwardedFor}, ${value}`;
  if (kind !== KIND.forwarded) return;
  const lower = name.toLowerCase();
  if (lower === "x-forwarded-host") head.hasForwardedHost = true;
  if (lower === "x-forwarded-proto") head.hasForwardedProto = true;
  head.headers.push(name, value);
}

function emptyHead(): RequestHead {
  return {
    headers: [],
    host: null,
    contentLength: null,
    chunked: false,
    requestId: null,
    forwardedFor: null,
    hasForwardedHost: false,
    hasForwardedProto: false,
    upgrade: null,
    hops: 0,
  };
}

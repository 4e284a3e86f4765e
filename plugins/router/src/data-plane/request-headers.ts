import type { Incoming } from "./incoming.ts";
import { type RequestHead, VIA } from "./request-head.ts";

/** What the router says of a request to its target. */
export interface Provenance {
  readonly host: string;
  readonly remote: string;
  readonly id: string;
  readonly httpVersion: string;
}

/** The headers that the target gets, in undici's form. */
export function targetHeaders({ head, authority, hasBody }: Incoming, { remote, id, httpVersion }: Omit<Provenance, "host">): string[] {
  const headers = addProvenance(head, { host: authority, remote, id, httpVersion });
  if (hasBody && head.contentLength !== null) headers.push("Content-Length", head.contentLength);
  return headers;
}

/** Completes the head for the target: Host as the client named it, where it came from, its id, the hop. Adds to `head.headers`. */
export function addProvenance(head: RequestHead, { host, remote, id, httpVersion }: Provenance): string[] {
  const { headers } = head;
  headers.push("Host", host, "X-Forwarded-For", head.forwardedFor === null ? remote : `${head.forwardedFor}, ${remote}`);
  if (!head.hasForwardedHost) headers.push("X-Forwarded-Host", host);
  if (!head.hasForwardedProto) headers.push("X-Forwarded-Proto", "http");
  headers.push("X-Request-Id", id, "Via", httpVersion === "1.1" ? VIA_11 : VIA_10);
  return headers;
}

const VIA_11 = `1.1 ${VIA}`;
const VIA_10 = `1.0 ${VIA}`;

import { withoutListed } from "./connection-header.ts";
import { KIND, headerKind } from "./header-kinds.ts";

/** The head of a target's answer, ready for the client. */
export interface ResponseHead {
  headers: string[];
  hasLength: boolean;
  isEventStream: boolean;
  /** Whether events can be told apart in the bytes: they cannot in a compressed stream. */
  isEncoded: boolean;
}

/** Sorts the raw headers of an answer: what belongs to the hop to the target stays there. */
export function responseHead(raw: readonly (Buffer | string)[], status: number): ResponseHead {
  const head: ResponseHead = { headers: [], hasLength: false, isEventStream: false, isEncoded: false };
  let connection: string | null = null;
  for (let i = 0; i < raw.length; i += 2) {
    const name = text(raw[i] as Buffer | string);
    const value = text(raw[i + 1] as Buffer | string);
    const kind = headerKind(name);
    if (kind === KIND.connection) connection = connection === null ? value : `${connection}, ${value}`;
    else if (passes(head, kind, { value, status })) head.headers.push(name, value);
    if (kind === KIND.pass && name.length === 16 && name.toLowerCase() === "content-encoding") head.isEncoded = true;
  }
  if (connection !== null) head.headers = withoutListed(head.headers, connection);
  return head;
}

function passes(head: ResponseHead, kind: number, { value, status }: { readonly value: string; readonly status: number }): boolean {
  switch (kind) {
    case KIND.contentType:
      head.isEventStream = value.startsWith("text/event-stream");
      return true;
    case KIND.contentLength:
      head.hasLength = true;
      return status !== 204;
    case KIND.drop:
    case KIND.transferEncoding:
    case KIND.upgrade:
    case KIND.requestId:
      return false;
    default:
      return true;
  }
}

function text(value: Buffer | string): string {
  return typeof value === "string" ? value : value.toString("latin1");
}

/** What the router does with a header. */
export const KIND = {
  pass: 0,
  /** Belongs to one connection only, or would be a lie after this hop. */
  drop: 1,
  host: 2,
  contentLength: 3,
  transferEncoding: 4,
  connection: 5,
  expect: 6,
  requestId: 7,
  via: 8,
  forwardedFor: 9,
  forwarded: 10,
  upgrade: 11,
  contentType: 12,
} as const;

const NAMES: Readonly<Record<string, number>> = {
  host: KIND.host,
  "content-length": KIND.contentLength,
  "transfer-encoding": KIND.transferEncoding,
  connection: KIND.connection,
  expect: KIND.expect,
  "x-request-id": KIND.requestId,
  via: KIND.via,
  "x-forwarded-for": KIND.forwardedFor,
  "x-forwarded-host": KIND.forwarded,
  "x-forwarded-proto": KIND.forwarded,
  "x-forwarded-port": KIND.forwarded,
  "x-real-ip": KIND.forwarded,
  forwarded: KIND.forwarded,
  upgrade: KIND.upgrade,
  "content-type": KIND.contentType,
  "keep-alive": KIND.drop,
  "proxy-connection": KIND.drop,
  te: KIND.drop,
  trailer: KIND.drop,
  "http2-settings": KIND.drop,
  // Some CGI servers turn it into HTTP_PROXY ("httpoxy").
  proxy: KIND.drop,
};

const REMEMBERED = 2048;
const known = new Map<string, number>();
reset();

/** The kind of a header by its name in any case. Spellings are remembered: lower-casing each name of each request costs more. */
export function headerKind(name: string): number {
  const found = known.get(name);
  if (found !== undefined) return found;
  const kind = NAMES[name.toLowerCase()] ?? KIND.pass;
  if (known.size >= REMEMBERED) reset();
  known.set(name, kind);
  return kind;
}

function reset(): void {
  known.clear();
  for (const [name, kind] of Object.entries(NAMES)) known.set(name, kind);
}

const ORDINARY = new Set([
  "keep-alive",
  "close",
  "upgrade",
  "Keep-Alive",
  "Close",
  "Upgrade",
  "keep-alive, Upgrade",
  "keep-alive, upgrade",
  "TE",
  "te",
]);

/** Takes out the headers that a Connection header declares to be of one connection only (RFC 9110, 7.6.1). Pairs, in order. */
export function withoutListed(headers: string[], connection: string): string[] {
  if (ORDINARY.has(connection)) return headers;
  const listed = new Set(connection.toLowerCase().split(",").map(trim));
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (!listed.has(name.toLowerCase())) kept.push(name, headers[i + 1] as string);
  }
  return kept;
}

function trim(token: string): string {
  return token.trim();
}

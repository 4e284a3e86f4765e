import type { ServerResponse } from "node:http";

/** Passes on an interim answer: 102 as it is, 103 with its links. Others say nothing that the client waits for. */
export function passInterim(res: ServerResponse, status: number, raw: readonly Buffer[]): void {
  if (status === 102) res.writeProcessing();
  if (status !== 103) return;
  const link = linksOf(raw);
  if (link.length === 0) return;
  try {
    res.writeEarlyHints({ link });
  } catch {
    // Node takes well-formed links only. A hint is worth no answer.
  }
}

function linksOf(raw: readonly Buffer[]): string[] {
  const links: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    if ((raw[i] as Buffer).toString("latin1").toLowerCase() === "link") links.push((raw[i + 1] as Buffer).toString("latin1"));
  }
  return links;
}

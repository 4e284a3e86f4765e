import { setTimeout as sleep } from "node:timers/promises";
import type { DrainInput, DrainResult } from "@helixstack/sdk";
import type { RuntimeApi } from "./runtime-api.ts";

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 250;

/**
 * Waits until nothing is open to these addresses, or the time is over; then closes what is left. HAProxy cannot put a word into a stream: WebSockets and server-sent
 * events are not told to go, they have all of the time and are then cut.
 */
export async function drainAddresses(
  api: RuntimeApi,
  {
    addresses,
    timeoutMs,
    signal,
  }: Pick<DrainInput, "timeoutMs"> & { readonly addresses: ReadonlySet<string>; readonly signal: AbortSignal },
): Promise<DrainResult> {
  const began = performance.now();
  const waited = (): number => Math.round(performance.now() - began);
  if (addresses.size === 0) return { closed: 0, waitedMs: waited() };
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const open = await sessionsTo(api, addresses);
    if (open.length === 0 || signal.aborted) return { closed: 0, waitedMs: waited() };
    const left = timeoutMs - waited();
    if (left > 0) {
      await sleep(Math.min(pause, left));
      continue;
    }
    for (const id of open) await api.ask(`shutdown session ${id}`);
    return { closed: open.length, waitedMs: waited() };
  }
}

async function sessionsTo(api: RuntimeApi, addresses: ReadonlySet<string>): Promise<readonly string[]> {
  const all = await api.ask("show sess all");
  return all.split(/^(?=0x)/m).flatMap((session) => {
    const address = /^\s+server=first \(id=\d+\) addr=(\S+)/m.exec(session)?.[1];
    const id = /^(0x[0-9a-f]+):/.exec(session)?.[1];
    return id !== undefined && address !== undefined && addresses.has(address) ? [id] : [];
  });
}

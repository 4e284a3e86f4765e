import type { Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type StoredListen, listenFile, makeFolder, readListen, writeDurable } from "@helixstack/route-tables";
import type { RouterConfig } from "../config.ts";
import { listen } from "./listeners.ts";

const PATIENCE_MS = 1000;
const STEP_MS = 50;
const STEPS = 1000;

/** The listener for host names. */
export interface MainListener {
  readonly port: number;
  readonly servers: readonly Server[];
}

/**
 * Opens the port for host names: the one chosen before, else the configured one, else the next that is free. What was chosen is kept
 * on disk, so that URLs stay. A port that was ours is waited for a moment: the process before this one may still be ending.
 */
export async function openMainListener(settings: RouterConfig, make: () => Server): Promise<MainListener> {
  const remembered = await readListen(settings.stateDir);
  const isOurs = remembered !== null && remembered.asked === settings.httpPort;
  const opened = (isOurs ? await openPatiently(settings, remembered.port, make) : null) ?? (await openNext(settings, make));
  if (isOurs && remembered.port === opened.port) return opened;
  const stored: StoredListen = { format: 1, asked: settings.httpPort, port: opened.port };
  makeFolder(settings.stateDir);
  await writeDurable(listenFile(settings.stateDir), JSON.stringify(stored));
  return opened;
}

async function openPatiently(settings: RouterConfig, port: number, make: () => Server): Promise<MainListener | null> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const opened = await open(settings, port, make);
    if (typeof opened !== "string") return opened;
    if (opened !== "EADDRINUSE" || performance.now() > until) return null;
    await sleep(STEP_MS);
  }
}

async function openNext(settings: RouterConfig, make: () => Server): Promise<MainListener> {
  let why = "";
  for (let step = 0; step < STEPS; step += 1) {
    const port = settings.httpPort === 0 ? 0 : settings.httpPort + step;
    if (port > 65_535) break;
    const opened = await open(settings, port, make);
    if (typeof opened !== "string") return opened;
    why = opened;
    if (why !== "EADDRINUSE" && why !== "EACCES") break;
  }
  throw new Error(`no port from ${settings.httpPort} up can be listened on at ${settings.host} (${why}): change httpPort or host`);
}

/**
 * Browsers look up `*.localhost` as ::1 too, and try it first: a port counts as free only when both are. A machine without IPv6 has
 * nothing to take there.
 */
async function open(settings: RouterConfig, port: number, make: () => Server): Promise<MainListener | string> {
  const first = await listen(make(), { address: settings.host, port });
  if (typeof first === "string") return first;
  const address = first.address();
  const chosen = typeof address === "object" && address !== null ? address.port : port;
  if (settings.host !== "127.0.0.1") return { port: chosen, servers: [first] };
  const second = await listen(make(), { address: "::1", port: chosen });
  if (second !== "EADDRINUSE") return { port: chosen, servers: typeof second === "string" ? [first] : [first, second] };
  await new Promise((resolve) => first.close(resolve));
  return second;
}

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { HaproxyConfig } from "./config.ts";
import type { Listening } from "./haproxy-config.ts";

/** Ports as chosen, with what was asked for: they stay as long as that does. */
interface Kept extends Listening {
  readonly asked: string;
}

export function listeningFile(stateDir: string): string {
  return join(stateDir, "listening.json");
}

/** The ports that were chosen for this configuration; null before the first start. */
export function keptListening(config: HaproxyConfig): Kept | null {
  const kept = readKept(config);
  return kept?.asked === askedOf(config) ? kept : null;
}

/**
 * The port for host names (that of before, else the configured one, else the next that is free) and those ports of services that can be opened: HAProxy
 * does not start when it cannot have one of them.
 */
export async function chooseListening(config: HaproxyConfig): Promise<Kept> {
  const kept = keptListening(config);
  const isKept = kept !== null && (await isFree(config.host, kept.httpPort));
  const httpPort = isKept ? kept.httpPort : await nextFree(config);
  const { first, count } = config.ports;
  const addresses = ["127.0.0.1", ...config.addresses];
  const ports: number[] = [];
  for (let port = first; port < Math.min(first + count, 65_536); port += 1) {
    const free = await Promise.all(addresses.map((address) => isFree(address, port)));
    if (port !== httpPort && free.every(Boolean)) ports.push(port);
  }
  return { asked: askedOf(config), httpPort, ports, secret: randomBytes(12).toString("hex") };
}

async function nextFree({ host, httpPort }: HaproxyConfig): Promise<number> {
  for (let port = httpPort; port < 65_536; port += 1) {
    const chosen = await probe(host, port);
    const isBoth = chosen !== null && (host !== "127.0.0.1" || (await isFree("::1", chosen)));
    if (isBoth) return chosen;
  }
  return httpPort;
}

async function isFree(address: string, port: number): Promise<boolean> {
  return (await probe(address, port)) !== null;
}

/** The port, or the one that the system gave for 0; null when it cannot be opened. An address that is not there takes no port away. */
function probe(host: string, port: number): Promise<number | null> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", ({ code }: NodeJS.ErrnoException) => resolve(host === "::1" && code !== "EADDRINUSE" ? port : null));
    server.listen({ host, port }, () => {
      const opened = server.address();
      server.close(() => resolve(typeof opened === "object" && opened !== null ? opened.port : port));
    });
  });
}

/** Read in place: a switch waits for it, and a small file takes less time than a thread's answer. */
function readKept({ stateDir }: HaproxyConfig): Kept | null {
  try {
    return JSON.parse(readFileSync(listeningFile(stateDir), "utf8")) as Kept;
  } catch {
    // It holds nothing that cannot be chosen again.
    return null;
  }
}

function askedOf({ host, httpPort, ports, addresses }: HaproxyConfig): string {
  return JSON.stringify({ host, httpPort, ports, addresses });
}

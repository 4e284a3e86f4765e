import { readFileSync } from "node:fs";
import { createServer } from "node:net";

/** Below the ports that a router of this machine gives to services (from 20 000 on): the two never look for the same. */
const LOWEST = 10_000;
const HIGHEST = 19_999;
const FEWEST = 1_000;
const TRIES = 200;

/**
 * A TCP port that nobody listens on: `wanted` if it is free, else another one that is not in `avoid`. Outside the range that the
 * kernel gives to outgoing connections, which could otherwise take it while its owner restarts.
 */
export async function freePort(wanted: number | null, avoid: ReadonlySet<number>): Promise<number> {
  if (wanted !== null && (await isFree(wanted))) return wanted;
  const highest = Math.min(HIGHEST, ephemeralStart() - 1);
  for (let tries = 0; tries < TRIES; tries++) {
    const port = LOWEST + Math.floor(Math.random() * (highest - LOWEST + 1));
    if (port !== wanted && !avoid.has(port) && (await isFree(port))) return port;
  }
  throw new Error(`no free TCP port found between ${LOWEST} and ${highest}`);
}

/** Tries all addresses: a listener on any of them would be in an application's way. */
async function isFree(port: number): Promise<boolean> {
  return (await canListen(port, "127.0.0.1")) && (await canListen(port, "::"));
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "EAFNOSUPPORT" || error.code === "EADDRNOTAVAIL"));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function ephemeralStart(): number {
  try {
    const start = Number(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "latin1").trim().split(/\s+/)[0]);
    return start > LOWEST + FEWEST ? start : HIGHEST + 1;
  } catch {
    return HIGHEST + 1;
  }
}

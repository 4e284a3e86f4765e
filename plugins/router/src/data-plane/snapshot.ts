import type { LiveRoute } from "./live-route.ts";

/** All that decides where a request goes, at one moment. Never changed, only replaced as a whole. */
export interface Snapshot {
  readonly hosts: ReadonlyMap<string, LiveRoute>;
  readonly ports: ReadonlyMap<number, LiveRoute>;
  readonly keys: ReadonlyMap<string, LiveRoute>;
}

export const EMPTY: Snapshot = { hosts: new Map(), ports: new Map(), keys: new Map() };

export function buildSnapshot(tables: Iterable<readonly LiveRoute[]>): Snapshot {
  const hosts = new Map<string, LiveRoute>();
  const ports = new Map<number, LiveRoute>();
  const keys = new Map<string, LiveRoute>();
  for (const routes of tables) {
    for (const route of routes) {
      for (const host of route.hosts) hosts.set(host, route);
      ports.set(route.port, route);
      keys.set(route.key, route);
    }
  }
  return { hosts, ports, keys };
}

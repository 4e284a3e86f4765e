import type { LiveRoute } from "./live-route.ts";

/** All that decides where a request goes, at one moment. */
export interface Snapshot {
  readonly hosts: ReadonlyMap<string, LiveRoute>;
  readonly ports: ReadonlyMap<number, LiveRoute>;
  readonly keys: ReadonlyMap<string, LiveRoute>;
}

/** The snapshot that requests see, table by table. */
export class Snapshots implements Snapshot {
  readonly hosts = new Map<string, LiveRoute>();
  readonly ports = new Map<number, LiveRoute>();
  readonly keys = new Map<string, LiveRoute>();

  /**
   * The switch: the routes of one table in the place of those it had. Nothing else runs meanwhile, so no request sees half of it, and the other tables cost
   * nothing, however many they are.
   */
  replace(before: readonly LiveRoute[], after: readonly LiveRoute[]): void {
    for (const route of before) {
      for (const host of route.hosts) this.hosts.delete(host);
      this.ports.delete(route.port);
      this.keys.delete(route.key);
    }
    for (const route of after) {
      for (const host of route.hosts) this.hosts.set(host, route);
      this.ports.set(route.port, route);
      this.keys.set(route.key, route);
    }
  }
}

import type { RouterConfig } from "../config.ts";
import type { Connection } from "./connection.ts";
import { HoldQueue } from "./hold-queue.ts";
import type { LiveRoute } from "./live-route.ts";
import { Snapshots } from "./snapshot.ts";

/** What every request sees. One an instance of the process. */
export interface Plane {
  readonly settings: RouterConfig;
  readonly holds: HoldQueue;
  readonly connections: Set<Connection>;
  readonly snapshot: Snapshots;
  /** No new connections; answers close theirs. */
  isStopping: boolean;
}

export function makePlane(settings: RouterConfig): Plane {
  return { settings, holds: new HoldQueue(settings.limits.held), connections: new Set(), snapshot: new Snapshots(), isStopping: false };
}

/** The listener on which host names decide. */
export const BY_HOST = 0;

/** Where a request belongs: to the service of the port it came in on, or of the host it names. */
export function findRoute(plane: Plane, { port, host }: { readonly port: number; readonly host: string }): LiveRoute | undefined {
  return port === BY_HOST ? plane.snapshot.hosts.get(host) : plane.snapshot.ports.get(port);
}

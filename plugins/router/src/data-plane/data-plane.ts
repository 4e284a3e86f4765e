import type { RouterConfig } from "../config.ts";
import { claimSocket, openAdmin } from "./admin.ts";
import { Drains } from "./drain.ts";
import { makeServer } from "./http-server.ts";
import { Listeners } from "./listeners.ts";
import { log } from "./log.ts";
import { openMainListener } from "./main-listener.ts";
import { BY_HOST, makePlane } from "./plane.ts";
import { Revisions } from "./revision.ts";
import { Tables } from "./tables.ts";

export interface DataPlane {
  /** Takes no more connections, lets requests finish, then returns. */
  readonly stop: () => Promise<void>;
}

/** Serves what is on disk, and only then takes orders. */
export async function startDataPlane(settings: RouterConfig): Promise<DataPlane> {
  await claimSocket(settings.socket);
  const plane = makePlane(settings);
  const drains = new Drains(plane);
  const revisions = new Revisions(() => drains.notice());
  drains.use(revisions);
  const listeners = new Listeners((port) => makeServer(plane, port));
  let httpPort = 0;
  const tables = new Tables({ plane, listeners, revisions, httpPort: () => httpPort });
  await tables.restore();
  const main = await openMainListener(settings, () => makeServer(plane, BY_HOST));
  httpPort = main.port;
  const status = () => ({
    pid: process.pid,
    httpPort,
    tables: tables.size,
    connections: plane.connections.size,
    notListening: listeners.missing(),
  });
  const admin = await openAdmin(settings.socket, { tables, drains, revisions, status });
  log("info", "the router serves", { httpPort, tables: tables.size });
  return {
    stop: async () => {
      plane.isStopping = true;
      listeners.closeAll();
      for (const server of main.servers) {
        server.close();
        server.closeIdleConnections();
      }
      admin.close();
      plane.holds.lapseAll();
      const { closed } = await drains.drainAll(settings.limits.stopMs);
      log("info", "the router stops", { closed });
    },
  };
}

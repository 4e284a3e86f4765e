import type { ServiceAddress } from "@helixstack/sdk";
import type { StoredTable } from "./stored-table.ts";

/** Where each service of a table answers: by its first host name, and by its own loopback port. */
export function addressesOf(stored: StoredTable, httpPort: number): readonly ServiceAddress[] {
  return stored.table.routes.map(({ service, hosts }) => {
    const port = stored.ports[service] ?? 0;
    const host = hosts[0];
    return {
      service,
      url: host === undefined ? `http://127.0.0.1:${port}` : `http://${host}:${httpPort}`,
      address: { host: "127.0.0.1", port },
    };
  });
}

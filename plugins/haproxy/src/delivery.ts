import {
  type TableState,
  observedTable,
  ownedTables,
  planTable,
  readTable,
  readTables,
  requireHttp,
  tableState,
} from "@helixstack/route-tables";
import { type DeliveryPlane, type PluginContext } from "@helixstack/sdk";
import { openRuntime } from "./client.ts";
import type { HaproxyConfig } from "./config.ts";
import { drainAddresses } from "./drain.ts";
import type { HaproxyTable } from "./entries.ts";
import { isUnreachable } from "./failures.ts";
import { placesOf, removeTable, switchTable, viewOf } from "./tables.ts";

type Context = PluginContext<HaproxyConfig>;

/**
 * Routes of this machine, through a HAProxy that the supervisor runs from the first table on. While it is away, nothing is served: `observe` says null, and
 * the `apply` that follows starts it. What is owned is listed from disk.
 */
export const delivery: DeliveryPlane<HaproxyConfig, TableState> = {
  routes: ["http"],
  fencing: "fence",
  state: tableState,
  stateVersion: 1,

  observe: async (ctx) => {
    const stored = readTable<HaproxyTable>(ctx.config.stateDir, ctx.identity);
    return stored === null || !(await isUp(ctx)) ? null : observedTable(viewOf(ctx.config, stored));
  },

  plan: planTable,

  apply: async (ctx, { table }) => {
    requireHttp("haproxy", table);
    const view = await switchTable(ctx, table);
    for (const { service, address, port, why } of view.notListening) {
      ctx.log.warn(`${service} does not answer at ${address}:${port} (${why})`);
    }
    return observedTable(view);
  },

  destroy: async (ctx) => removeTable(ctx),

  list: async (ctx, { installation }) => {
    const tables = await readTables(ctx.config.stateDir, (file) => ctx.log.warn(`${file} is not a route table and is left out`));
    return ownedTables(tables, installation);
  },

  drain: async (ctx, { revisions, timeoutMs }) => {
    const stored = readTable<HaproxyTable>(ctx.config.stateDir, ctx.identity);
    const places = stored === null ? [] : [...placesOf(stored.table.routes), ...stored.former];
    const addresses = new Set(places.flatMap(({ revision, address }) => (revisions.includes(revision) ? [address] : [])));
    const runtime = await openRuntime(ctx);
    try {
      return await drainAddresses(runtime, { addresses, timeoutMs, signal: ctx.signal });
    } finally {
      runtime.close();
    }
  },
};

async function isUp(ctx: Context): Promise<boolean> {
  try {
    const runtime = await openRuntime(ctx);
    await runtime.ask("show version").finally(() => runtime.close());
    return true;
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return false;
  }
}

import {
  type StoredTable,
  type TableState,
  type TableView,
  observedTable,
  ownedTables,
  planTable,
  readTables,
  requireHttp,
  tableState,
} from "@helixstack/route-tables";
import { type DeliveryPlane, type PluginContext } from "@helixstack/sdk";
import { routerClient } from "./client.ts";
import type { RouterConfig } from "./config.ts";
import { isUnreachable } from "./failures.ts";

type Context = PluginContext<RouterConfig>;

/**
 * Routes of this machine, through the data-plane process. While it is away, nothing is served: `observe` says null, whatever is on disk. What is owned is
 * listed from disk.
 */
export const delivery: DeliveryPlane<RouterConfig, TableState> = {
  routes: ["http"],
  fencing: "fence",
  state: tableState,
  stateVersion: 1,

  observe: async (ctx) => {
    const view = await lookUp(ctx);
    return view === null ? null : observedTable(view);
  },

  plan: planTable,

  apply: async (ctx, { table }) => {
    requireHttp("router", table);
    const { installation, organization, project, environment, unit } = ctx.identity;
    const view = await client(ctx).apply({ installation, organization, project, environment, unit }, table);
    for (const { service, address, port, why } of view.notListening) {
      ctx.log.warn(`${service} cannot answer at ${address}:${port} yet (${why}); the router tries again each second`);
    }
    return observedTable(view);
  },

  destroy: async (ctx) => client(ctx).destroy(ctx.identity),

  list: async (ctx, { installation }) => {
    const tables = await allTables(ctx);
    return ownedTables(tables, installation);
  },

  drain: async (ctx, input) => client(ctx).drain(input),

  stats: async (ctx) => client(ctx).stats(),
};

async function lookUp(ctx: Context): Promise<TableView | null> {
  try {
    return await client(ctx).table(ctx.identity);
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return null;
  }
}

async function allTables(ctx: Context): Promise<readonly StoredTable[]> {
  try {
    return (await client(ctx).tables()).map(({ stored }) => stored);
  } catch (error) {
    if (!isUnreachable(error)) throw error;
  }
  return readTables(ctx.config.stateDir, (file) => ctx.log.warn(`${file} is not a route table and is left out`));
}

function client(ctx: Context): ReturnType<typeof routerClient> {
  return routerClient(ctx.config, ctx.signal);
}

import { type DeliveryPlane, type ObservedTable, type Owned, type PluginContext, PluginError } from "@helixstack/sdk";
import { type Static, Type } from "typebox";
import { addressesOf } from "./addresses.ts";
import { routerClient } from "./client.ts";
import type { RouterConfig } from "./config.ts";
import { isUnreachable } from "./failures.ts";
import { planTable } from "./plan-table.ts";
import type { StoredTable, TableView } from "./protocol.ts";
import { readListen, readTable, readTables } from "./state-files.ts";

const state = Type.Object({
  /** The port of each service. */
  ports: Type.Record(Type.String(), Type.Integer()),
  /** Where the router should answer and cannot; null when the data plane could not be asked. */
  notListening: Type.Union([
    Type.Array(Type.Object({ service: Type.String(), address: Type.String(), port: Type.Integer(), why: Type.String() })),
    Type.Null(),
  ]),
});

type State = Static<typeof state>;
type Context = PluginContext<RouterConfig>;

/** Routes of this machine, through the data-plane process. Reads work from its files when it is away; writes need it. */
export const delivery: DeliveryPlane<RouterConfig, State> = {
  routes: ["http"],
  fencing: "fence",
  state,
  stateVersion: 1,

  observe: async (ctx) => {
    const view = await lookUp(ctx);
    return view === null ? null : observed(view);
  },

  plan: planTable,

  apply: async (ctx, { table }) => {
    for (const { service, targets } of table.routes) {
      const other = targets.find(({ endpoint }) => endpoint.kind !== "http");
      if (other)
        throw new PluginError(
          "INVALID_SPEC",
          `router: service "${service}" has a target of kind ${other.endpoint.kind}; it routes http only`,
        );
    }
    const { installation, organization, project, environment, unit } = ctx.identity;
    const view = await client(ctx).apply({ installation, organization, project, environment, unit }, table);
    for (const { service, address, port, why } of view.notListening ?? []) {
      ctx.log.warn(`${service} cannot answer at ${address}:${port} yet (${why}); the router tries again each second`);
    }
    return observed(view);
  },

  destroy: async (ctx) => client(ctx).destroy(ctx.identity),

  list: async (ctx, { installation }) => {
    const tables = await allTables(ctx);
    return tables.filter(({ owner }) => owner.installation === installation).map(owned);
  },

  drain: async (ctx, input) => client(ctx).drain(input),

  stats: async (ctx) => client(ctx).stats(),
};

async function lookUp(ctx: Context): Promise<TableView | null> {
  try {
    return await client(ctx).table(ctx.identity);
  } catch (error) {
    if (!isUnreachable(error)) throw error;
  }
  const { stateDir, httpPort } = ctx.config;
  const stored = await readTable(stateDir, ctx.identity);
  if (stored === null) return null;
  const listen = await readListen(stateDir);
  return { stored, addresses: addressesOf(stored, listen?.port ?? httpPort), notListening: null };
}

async function allTables(ctx: Context): Promise<readonly StoredTable[]> {
  try {
    return (await client(ctx).tables()).map(({ stored }) => stored);
  } catch (error) {
    if (!isUnreachable(error)) throw error;
  }
  return readTables(ctx.config.stateDir, (file) => ctx.log.warn(`${file} is not a route table and is left out`));
}

function observed({ stored, addresses, notListening }: TableView): ObservedTable<State> {
  const { table, ports } = stored;
  return {
    state: { ports, notListening: notListening === null ? null : [...notListening] },
    generation: table.generation,
    table,
    addresses,
  };
}

function owned({ owner, table }: StoredTable): Owned {
  const services = table.routes.map(({ service }) => service).join(", ");
  return {
    identity: { ...owner, revision: owner.unit },
    kind: "routes",
    id: owner.unit,
    description: `routes of ${services === "" ? "no service" : services}, generation ${table.generation}`,
  };
}

function client(ctx: Context): ReturnType<typeof routerClient> {
  return routerClient(ctx.config, ctx.signal);
}

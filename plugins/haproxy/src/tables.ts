import {
  type NotListening,
  type TableView,
  addressesOf,
  addressesToBind,
  generationProblem,
  makeFolder,
  portCandidates,
  readTable,
  removeDurable,
  tableFile,
  tableProblem,
  tablesDir,
  writeDurable,
} from "@helixstack/route-tables";
import { type Owner, type PluginContext, PluginError, type Route, type RouteTable } from "@helixstack/sdk";
import { startedRuntime } from "./client.ts";
import type { HaproxyConfig } from "./config.ts";
import { type HaproxyTable, type Place, changesBetween, routeKeysOf, tableId } from "./entries.ts";
import { exclusively } from "./exclusive.ts";
import { appendJournal, settleJournal } from "./journal.ts";
import { keptListening } from "./listening.ts";
import { type Maps, mapsOf } from "./maps.ts";
import { tidy } from "./tidy.ts";

type Context = PluginContext<HaproxyConfig>;

const FORMER = 64;

/** Switches one table. When this returns, the switch is on disk and done. */
export async function switchTable(ctx: Context, table: RouteTable): Promise<TableView> {
  check(table);
  return changing(ctx, async (maps) => {
    const { config, identity } = ctx;
    const before = readTable<HaproxyTable>(config.stateDir, identity);
    const stale = generationProblem(table, before?.table);
    if (stale !== null) throw new PluginError("STALE_FENCE", `haproxy: ${stale}`);
    // The record is written last: what it says is served. What is interrupted before that is undone by the next change.
    if (before?.table.generation === table.generation) return viewOf(config, before);
    const owner = ownerOf(identity);
    await checkHosts(maps, owner, table);
    const ports = await choosePorts(ctx, { maps, owner, table, known: before?.ports ?? {} });
    const after: HaproxyTable = { format: 1, owner, table, ports, ...leftBehind(before, table) };
    const changes = changesBetween(before, after);
    await appendJournal(config.stateDir, changes);
    await maps.set(changes);
    // It is switched: what goes is not asked for any more, and need not be gone before the record is written.
    await Promise.all([maps.drop(changes), writeDurable(tableFile(config.stateDir, owner), JSON.stringify(after))]);
    settleJournal(config.stateDir);
    return viewOf(config, after);
  });
}

/** Removes one table. Gone already is success. */
export async function removeTable(ctx: Context): Promise<void> {
  await changing(ctx, async (maps) => {
    const { config, identity } = ctx;
    const before = readTable<HaproxyTable>(config.stateDir, identity);
    if (before === null) return;
    const changes = changesBetween(before, null);
    await appendJournal(config.stateDir, changes);
    await maps.drop(changes);
    await removeDurable(tableFile(config.stateDir, identity));
    settleJournal(config.stateDir);
  });
}

/** A table as the plugin sees it while HAProxy runs. */
export function viewOf(config: HaproxyConfig, stored: HaproxyTable): TableView {
  const listening = keptListening(config);
  const addresses = addressesOf(stored, listening?.httpPort ?? config.httpPort);
  return { stored, addresses, notListening: notListening(config, stored, new Set(listening?.ports)) };
}

async function changing<T>(ctx: Context, act: (maps: Maps) => Promise<T>): Promise<T> {
  const { stateDir } = ctx.config;
  makeFolder(tablesDir(stateDir));
  return exclusively(stateDir, ctx, async () => {
    const runtime = await startedRuntime(ctx);
    try {
      const maps = mapsOf(runtime, stateDir);
      await tidy(stateDir, maps);
      return await act(maps);
    } finally {
      runtime.close();
    }
  });
}

const IP = /^(?:[0-9.]+|[0-9a-fA-F:]+)$/;

function check(table: RouteTable): void {
  const problem = tableProblem(table);
  if (problem !== null) throw new PluginError("INVALID_SPEC", `haproxy: ${problem}`);
  for (const { service, targets } of table.routes) {
    const named = targets.find(({ endpoint }) => endpoint.kind === "http" && !IP.test(endpoint.host));
    if (named === undefined) continue;
    throw new PluginError("INVALID_SPEC", `haproxy: service "${service}" has a target that is no IP address; it looks up no names`);
  }
}

async function checkHosts(maps: Maps, owner: Owner, { routes }: RouteTable): Promise<void> {
  const hosts = routes.flatMap((route) => route.hosts);
  const owners = await Promise.all(hosts.map((host) => maps.get("hosts", host)));
  const foreign = owners.findIndex((at) => at !== null && !at.startsWith(`${tableId(owner)}/`));
  if (foreign < 0) return;
  throw new PluginError("CONFLICT", `haproxy: the host name "${hosts[foreign]}" belongs to another environment's route table`);
}

interface PortChoice {
  readonly maps: Maps;
  readonly owner: Owner;
  readonly table: RouteTable;
  readonly known: Readonly<Record<string, number>>;
}

/** The port of each service. Ports of services that left the table stay theirs. */
async function choosePorts({ config }: Context, { maps, owner, table, known }: PortChoice): Promise<Readonly<Record<string, number>>> {
  const open = new Set(keptListening(config)?.ports);
  const ports: Record<string, number> = { ...known };
  const isTaken = async (port: number): Promise<boolean> =>
    Object.values(ports).includes(port) || (await maps.get("ports", String(port))) !== null;
  for (const { service, port } of table.routes) {
    const remembered = known[service];
    if (remembered !== undefined && (port === null || port === remembered)) continue;
    ports[service] = port === null ? await choosePort() : await takePort(port);

    async function choosePort(): Promise<number> {
      for (const candidate of portCandidates(config.ports, { unit: owner.unit, service })) {
        if (open.has(candidate) && !(await isTaken(candidate))) return candidate;
      }
      const { first, count } = config.ports;
      const range = `${first} to ${first + count - 1}`;
      if (open.size > 0)
        throw new PluginError("LIMIT_EXCEEDED", `haproxy: no port of ${range} is left for service "${service}"`, {
          hint: "Raise `ports.count` in the plugin's configuration; HAProxy restarts once.",
        });
      throw new PluginError(
        "LIMIT_EXCEEDED",
        `haproxy: no port of ${range} could be opened: other programs of this machine have them all`,
        {
          hint: "Set another `ports.first` in the plugin's configuration, as for each home of a machine; HAProxy restarts once.",
        },
      );
    }

    async function takePort(asked: number): Promise<number> {
      if (open.has(asked) && !(await isTaken(asked))) return asked;
      const { first, count } = config.ports;
      throw new PluginError(
        "CONFLICT",
        `haproxy: service "${service}" cannot have port ${asked}: it is taken, or HAProxy has not opened it`,
        {
          hint: `Let HAProxy choose, or take a free one from ${first} to ${first + count - 1}.`,
        },
      );
    }
  }
  return ports;
}

/** What a new table keeps of the one before: where its revisions were, and the routes that go with the next switch. */
function leftBehind(before: HaproxyTable | null, { routes }: RouteTable): Pick<HaproxyTable, "former" | "stale"> {
  if (before === null) return { former: [], stale: [] };
  const now = placesOf(routes);
  const taken = new Set(now.map(({ address }) => address));
  const former = [...placesOf(before.table.routes), ...before.former].filter(({ address }) => !taken.has(address));
  const seen = new Set<string>();
  const newest = former.filter(({ address }) => !seen.has(address) && seen.add(address));
  return { former: newest.slice(0, FORMER), stale: routeKeysOf(before) };
}

/** Where the revisions of these routes answer. */
export function placesOf(routes: readonly Route[]): readonly Place[] {
  return routes.flatMap(({ targets }) =>
    targets.flatMap(({ revision, endpoint }) =>
      endpoint.kind === "http" ? [{ revision, address: `${endpoint.host}:${endpoint.port}` }] : [],
    ),
  );
}

function notListening(config: HaproxyConfig, { table, ports }: HaproxyTable, open: ReadonlySet<number>): readonly NotListening[] {
  const bound = new Set(["127.0.0.1", ...config.addresses]);
  return table.routes.flatMap(({ service, bind }) =>
    addressesToBind(bind).flatMap((address) => {
      const port = ports[service] as number;
      if (!bound.has(address)) return [{ service, address, port, why: "not among the plugin's `addresses`" }];
      return open.has(port) ? [] : [{ service, address, port, why: "another program had it when HAProxy started" }];
    }),
  );
}

function ownerOf({ installation, organization, project, environment, unit }: Owner): Owner {
  return { installation, organization, project, environment, unit };
}

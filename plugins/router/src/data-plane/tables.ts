import { isDeepStrictEqual } from "node:util";
import {
  type StoredTable,
  type TableKey,
  type TableView,
  addressesOf,
  addressesToBind,
  generationProblem,
  makeFolder,
  portCandidates,
  readTables,
  removeDurable,
  tableFile,
  tablesDir,
  writeDurable,
} from "@helixstack/route-tables";
import type { Owner, Route, RouteTable } from "@helixstack/sdk";
import type { ApplyRequest } from "../protocol.ts";
import { AdminError } from "./admin-error.ts";
import { type Listeners, type Wanted } from "./listeners.ts";
import { type LiveRoute, compileRoutes, retiredUpstreams } from "./live-route.ts";
import { log } from "./log.ts";
import type { Plane } from "./plane.ts";
import { PORTS } from "./port-range.ts";
import type { Revision, Revisions } from "./revision.ts";

interface Entry {
  readonly stored: StoredTable;
  readonly routes: readonly LiveRoute[];
}

export interface TablesOptions {
  readonly plane: Plane;
  readonly listeners: Listeners;
  readonly revisions: Revisions;
  readonly httpPort: () => number;
}

/** The route tables: on disk, in the listeners and in the snapshot, changed in this order, one change at a time. */
export class Tables {
  readonly #options: TablesOptions;
  readonly #entries = new Map<string, Entry>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: TablesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Serves what was served before this process began. */
  async restore(): Promise<void> {
    const { stateDir } = this.#options.plane.settings;
    makeFolder(tablesDir(stateDir));
    const tables = await readTables(stateDir, (file) => log("error", "a table on disk cannot be read and is left out", { file }));
    await Promise.all(tables.flatMap(wantedOf).map((wanted) => this.#options.listeners.ensure(wanted)));
    for (const stored of tables) {
      const routes = this.#compile(stored, []);
      this.#entries.set(keyOf(stored.owner), { stored, routes });
      this.#swap([], routes);
    }
  }

  /** Switches one table. When this returns, the switch is on disk and done. */
  async apply({ owner, table }: ApplyRequest): Promise<TableView> {
    return this.#inTurn(async () => {
      const key = keyOf(owner);
      const before = this.#entries.get(key);
      this.#checkGeneration(table, before?.stored.table);
      this.#checkHosts(key, table);
      const opened: Wanted[] = [];
      try {
        const ports = await this.#openPorts(owner, { table, known: before?.stored.ports ?? {}, opened });
        const stored: StoredTable = { format: 1, owner, table, ports };
        if (!isDeepStrictEqual(before?.stored, stored)) await writeDurable(this.#file(owner), JSON.stringify(stored));
        return await this.#serve(key, { before, stored });
      } catch (error) {
        if (this.#entries.get(key) === before) this.#options.listeners.close(opened);
        throw error;
      }
    });
  }

  async #serve(key: string, { before, stored }: { readonly before: Entry | undefined; readonly stored: StoredTable }): Promise<TableView> {
    const { listeners } = this.#options;
    const routes = this.#compile(stored, before?.routes ?? []);
    this.#entries.set(key, { stored, routes });
    this.#swap(before?.routes ?? [], routes);
    for (const upstream of retiredUpstreams(before?.routes ?? [], routes)) upstream.retire();
    const wanted = wantedOf(stored);
    if (before !== undefined) listeners.close(wantedOf(before.stored), wanted);
    await Promise.all(wanted.map((one) => listeners.ensure(one)));
    return this.#view(stored);
  }

  /** Removes one table. Gone already is success. */
  async destroy(owner: TableKey): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#entries.get(keyOf(owner));
      await removeDurable(this.#file(owner));
      if (before === undefined) return;
      this.#entries.delete(keyOf(owner));
      this.#swap(before.routes, []);
      for (const upstream of retiredUpstreams(before.routes, [])) upstream.retire();
      this.#options.listeners.close(wantedOf(before.stored));
    });
  }

  views(): readonly TableView[] {
    return [...this.#entries.values()].map(({ stored }) => this.#view(stored));
  }

  view(key: TableKey): TableView | null {
    const entry = this.#entries.get(keyOf(key));
    return entry === undefined ? null : this.#view(entry.stored);
  }

  /** The switch itself. Then those that waited for it go on. */
  #swap(before: readonly LiveRoute[], after: readonly LiveRoute[]): void {
    const { plane, revisions } = this.#options;
    plane.snapshot.replace(before, after);
    revisions.replace(revisionsOf(before), revisionsOf(after));
    plane.holds.release(plane.snapshot);
  }

  #compile(stored: StoredTable, before: readonly LiveRoute[]): readonly LiveRoute[] {
    const { plane, revisions } = this.#options;
    const { table, ports } = stored;
    return compileRoutes({ tableKey: keyOf(stored.owner), table, ports, before, revisions, limits: plane.settings.limits });
  }

  #checkGeneration(table: RouteTable, before: RouteTable | undefined): void {
    const problem = generationProblem(table, before);
    if (problem !== null) throw new AdminError("STALE_FENCE", problem);
  }

  #checkHosts(key: string, table: RouteTable): void {
    for (const host of table.routes.flatMap(({ hosts }) => hosts)) {
      const route = this.#options.plane.snapshot.hosts.get(host);
      if (route === undefined || route.key.startsWith(`${key}|`)) continue;
      throw new AdminError("CONFLICT", `the host name "${host}" belongs to another environment's route table`);
    }
  }

  /** The port of each service, listened to from now on. Ports of services that left the table stay theirs. */
  async #openPorts(owner: Owner, { table, known, opened }: OpenOptions): Promise<StoredTable["ports"]> {
    const missing = table.routes.filter(({ service, port }) => known[service] === undefined || (port !== null && port !== known[service]));
    const ports: Record<string, number> = { ...known };
    if (missing.length === 0) return ports;
    const taken = new Set([...this.#entries.values()].flatMap(({ stored }) => Object.values(stored.ports)));
    for (const route of missing) {
      const port = route.port === null ? await this.#choosePort(owner, route, taken) : await this.#takePort(route, route.port, taken);
      ports[route.service] = port;
      taken.add(port);
      opened.push({ service: route.service, address: addressesToBind(route.bind)[0] as string, port });
    }
    return ports;
  }

  async #choosePort(owner: Owner, { service, bind }: Route, taken: ReadonlySet<number>): Promise<number> {
    for (const port of portCandidates(PORTS, { unit: owner.unit, service })) {
      if (taken.has(port)) continue;
      if ((await this.#options.listeners.tryOpen({ service, address: addressesToBind(bind)[0] as string, port })) === null) return port;
    }
    throw new AdminError("LIMIT_EXCEEDED", `no free port is left for service "${service}"`);
  }

  async #takePort({ service, bind }: Route, port: number, taken: ReadonlySet<number>): Promise<number> {
    const why = taken.has(port)
      ? "another service has it"
      : await this.#options.listeners.tryOpen({ service, address: addressesToBind(bind)[0] as string, port });
    if (why === null) return port;
    throw new AdminError(
      "CONFLICT",
      `port ${port} of service "${service}" cannot be listened on (${why})`,
      "Free the port, or let the router choose one.",
    );
  }

  #view(stored: StoredTable): TableView {
    const ports = new Set(stored.table.routes.map(({ service }) => stored.ports[service]));
    const notListening = this.#options.listeners.missing().filter(({ port }) => ports.has(port));
    return { stored, addresses: addressesOf(stored, this.#options.httpPort()), notListening };
  }

  #file(owner: TableKey): string {
    return tableFile(this.#options.plane.settings.stateDir, owner);
  }

  async #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(change);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

interface OpenOptions {
  readonly table: RouteTable;
  readonly known: StoredTable["ports"];
  /** What was opened, also when it fails half way. */
  readonly opened: Wanted[];
}

function wantedOf({ table, ports }: StoredTable): readonly Wanted[] {
  return table.routes.flatMap(({ service, bind }) =>
    addressesToBind(bind).map((address) => ({ service, address, port: ports[service] as number })),
  );
}

function revisionsOf(routes: readonly LiveRoute[]): ReadonlySet<Revision> {
  return new Set(routes.flatMap(({ all }) => all.map(({ revision }) => revision)));
}

function keyOf({ installation, unit }: TableKey): string {
  return `${installation}|${unit}`;
}

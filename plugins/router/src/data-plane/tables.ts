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
import type { Revisions } from "./revision.ts";
import { buildSnapshot } from "./snapshot.ts";

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
    await makeFolder(tablesDir(stateDir));
    const tables = await readTables(stateDir, (file) => log("error", "a table on disk cannot be read and is left out", { file }));
    for (const stored of tables) this.#entries.set(keyOf(stored.owner), { stored, routes: this.#compile(stored, []) });
    await Promise.all(this.#wanted().map((wanted) => this.#options.listeners.ensure(wanted)));
    this.#swap();
  }

  /** Switches one table. When this returns, the switch is on disk and done. */
  async apply({ owner, table }: ApplyRequest): Promise<TableView> {
    return this.#inTurn(async () => {
      const key = keyOf(owner);
      const before = this.#entries.get(key);
      this.#checkGeneration(table, before?.stored.table);
      this.#checkHosts(key, table);
      const ports = await this.#openPorts(owner, { table, known: before?.stored.ports ?? {} });
      const stored: StoredTable = { format: 1, owner, table, ports };
      try {
        if (!isDeepStrictEqual(before?.stored, stored)) await writeDurable(this.#file(owner), JSON.stringify(stored));
      } catch (error) {
        this.#options.listeners.keepOnly(this.#wanted());
        throw error;
      }
      const routes = this.#compile(stored, before?.routes ?? []);
      this.#entries.set(key, { stored, routes });
      this.#swap();
      for (const upstream of retiredUpstreams(before?.routes ?? [], routes)) upstream.retire();
      await this.#listen();
      return this.#view(stored);
    });
  }

  /** Removes one table. Gone already is success. */
  async destroy(owner: TableKey): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.#entries.get(keyOf(owner));
      await removeDurable(this.#file(owner));
      if (before === undefined) return;
      this.#entries.delete(keyOf(owner));
      this.#swap();
      for (const upstream of retiredUpstreams(before.routes, [])) upstream.retire();
      await this.#listen();
    });
  }

  views(): readonly TableView[] {
    return [...this.#entries.values()].map(({ stored }) => this.#view(stored));
  }

  view(key: TableKey): TableView | null {
    const entry = this.#entries.get(keyOf(key));
    return entry === undefined ? null : this.#view(entry.stored);
  }

  /** The switch itself: one assignment. Then those that waited for it go on. */
  #swap(): void {
    const { plane, revisions } = this.#options;
    const routes = [...this.#entries.values()].map((entry) => entry.routes);
    plane.snapshot = buildSnapshot(routes);
    revisions.prune(new Set(routes.flat().flatMap(({ all }) => all.map(({ revision }) => revision.id))));
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
  async #openPorts(owner: Owner, { table, known }: { table: RouteTable; known: StoredTable["ports"] }): Promise<StoredTable["ports"]> {
    const ports: Record<string, number> = { ...known };
    const taken = new Set([...this.#entries.values()].flatMap(({ stored }) => Object.values(stored.ports)));
    for (const route of table.routes) {
      const remembered = known[route.service];
      if (remembered !== undefined && (route.port === null || route.port === remembered)) continue;
      ports[route.service] =
        route.port === null ? await this.#choosePort(owner, route, taken) : await this.#takePort(route, route.port, taken);
      taken.add(ports[route.service] as number);
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

  async #listen(): Promise<void> {
    const wanted = this.#wanted();
    this.#options.listeners.keepOnly(wanted);
    await Promise.all(wanted.map((one) => this.#options.listeners.ensure(one)));
  }

  #wanted(): readonly Wanted[] {
    return [...this.#entries.values()].flatMap(({ stored }) =>
      stored.table.routes.flatMap(({ service, bind }) =>
        addressesToBind(bind).map((address) => ({ service, address, port: stored.ports[service] as number })),
      ),
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

function keyOf({ installation, unit }: TableKey): string {
  return `${installation}|${unit}`;
}

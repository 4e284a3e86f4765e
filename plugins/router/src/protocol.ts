import type { DrainInput, DrainResult, Owner, RevisionStats, RouteTable, ServiceAddress } from "@helixstack/sdk";

/** The paths of the admin socket. Plain HTTP with JSON bodies, always POST. */
export const ADMIN = {
  status: "/v1/status",
  apply: "/v1/apply",
  destroy: "/v1/destroy",
  table: "/v1/table",
  tables: "/v1/tables",
  drain: "/v1/drain",
  stats: "/v1/stats",
} as const;

/** Names a table: one environment of one installation. */
export interface TableKey {
  readonly installation: string;
  readonly unit: string;
}

/** A table as the data plane keeps it on disk. */
export interface StoredTable {
  readonly format: 1;
  readonly owner: Owner;
  readonly table: RouteTable;
  /** The port of each service that ever was in the table; kept as long as the table. */
  readonly ports: Readonly<Record<string, number>>;
}

/** The main listener, as kept on disk: a port is stepped around once, then it stays. */
export interface StoredListen {
  readonly format: 1;
  /** What the configuration asked for when the port was chosen. */
  readonly asked: number;
  readonly port: number;
}

/** An address on which the router should answer and cannot just now. It tries again each second. */
export interface NotListening {
  readonly service: string;
  readonly address: string;
  readonly port: number;
  readonly why: string;
}

/** A table as the plugin sees it: what is stored, and how it is reached. */
export interface TableView {
  readonly stored: StoredTable;
  readonly addresses: readonly ServiceAddress[];
  /** Null where only the disk was read, since then nobody knows. */
  readonly notListening: readonly NotListening[] | null;
}

export interface ApplyRequest {
  readonly owner: Owner;
  readonly table: RouteTable;
}

export interface StatusAnswer {
  readonly pid: number;
  readonly httpPort: number;
  readonly tables: number;
  readonly connections: number;
  readonly notListening: readonly NotListening[];
}

export type { DrainInput, DrainResult, RevisionStats };

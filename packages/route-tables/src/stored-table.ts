import type { Owner, RouteTable } from "@helixstack/sdk";

/** Names a table: one environment of one installation. */
export interface TableKey {
  readonly installation: string;
  readonly unit: string;
}

/** A table as it is kept on disk. */
export interface StoredTable {
  readonly format: 1;
  readonly owner: Owner;
  readonly table: RouteTable;
  /** The port of each service that ever was in the table; kept as long as the table. */
  readonly ports: Readonly<Record<string, number>>;
}

/** The listener for host names, as kept on disk: a port is stepped around once, then it stays. */
export interface StoredListen {
  readonly format: 1;
  /** What the configuration asked for when the port was chosen. */
  readonly asked: number;
  readonly port: number;
}

/** An address on which a service should answer and does not just now. */
export interface NotListening {
  readonly service: string;
  readonly address: string;
  readonly port: number;
  readonly why: string;
}

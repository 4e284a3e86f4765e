import type { ObservedTable, Owned, ServiceAddress } from "@helixstack/sdk";
import { type Static, Type } from "typebox";
import type { NotListening, StoredTable } from "./stored-table.ts";

/** What a delivery plugin of one machine remembers of a table. */
export const tableState = Type.Object({
  /** The port of each service. */
  ports: Type.Record(Type.String(), Type.Integer()),
  /** Where a service should answer and does not. */
  notListening: Type.Array(Type.Object({ service: Type.String(), address: Type.String(), port: Type.Integer(), why: Type.String() })),
});

export type TableState = Static<typeof tableState>;

export interface TableView {
  readonly stored: StoredTable;
  readonly addresses: readonly ServiceAddress[];
  readonly notListening: readonly NotListening[];
}

export function observedTable({ stored, addresses, notListening }: TableView): ObservedTable<TableState> {
  const { table, ports } = stored;
  return {
    state: { ports, notListening: [...notListening] },
    generation: table.generation,
    table,
    addresses,
  };
}

/** What an installation owns of the tables. */
export function ownedTables(tables: readonly StoredTable[], installation: string): readonly Owned[] {
  return tables.filter(({ owner }) => owner.installation === installation).map(ownedTable);
}

function ownedTable({ owner, table }: StoredTable): Owned {
  const services = table.routes.map(({ service }) => service).join(", ");
  return {
    identity: { ...owner, revision: owner.unit },
    kind: "routes",
    id: owner.unit,
    description: `routes of ${services === "" ? "no service" : services}, generation ${table.generation}`,
  };
}

import type { NotListening } from "@helixstack/route-tables";
import type { DrainInput, DrainResult, Owner, RevisionStats, RouteTable } from "@helixstack/sdk";

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

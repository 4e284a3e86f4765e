import type { PluginContext } from "./context.ts";
import type { Endpoint, EndpointKind } from "./endpoint.ts";
import type { Owned } from "./identity.ts";
import type { Change, Fencing, ListInput, Stateful } from "./reconciler.ts";

/**
 * Brings requests to revisions. A reconciler over one route table an environment; the table is replaced as a whole, in one
 * switch. Nothing of another environment's table is touched.
 */
export interface DeliveryPlane<Config = any, State = any> extends Stateful<State> {
  /** The kinds of endpoint it can route to. */
  readonly routes: readonly EndpointKind[];
  /** How effects are kept from a stale owner. The table's `generation` must never go back. */
  readonly fencing: Fencing;

  /** The table as it is served just now; `null` when there is none. Writes nothing. */
  readonly observe: (ctx: PluginContext<Config>, input: { readonly prior: State | null }) => Promise<ObservedTable<State> | null>;
  /** Says what `apply` would do. Pure. */
  readonly plan: (input: { readonly table: RouteTable; readonly observed: ObservedTable<State> | null }) => readonly Change[];
  /**
   * Switches to `table`. Returns when every live data plane has acknowledged it: no request that starts afterwards goes to a
   * target that is not in it. Requests in flight go on. Refuses a lower generation with `STALE_FENCE`.
   */
  readonly apply: (
    ctx: PluginContext<Config>,
    input: { readonly table: RouteTable; readonly prior: State | null },
  ) => Promise<ObservedTable<State>>;
  /** Removes the environment's table. Gone already is success. */
  readonly destroy: (ctx: PluginContext<Config>, input: { readonly prior: State | null }) => Promise<void>;
  /** Every table that carries this installation's tag. */
  readonly list: (ctx: PluginContext<Config>, input: ListInput) => Promise<readonly Owned[]>;

  /** Waits until no request is in flight to these revisions, or the time is over; then closes what is left (streams are told to go first). */
  readonly drain?: (ctx: PluginContext<Config>, input: DrainInput) => Promise<DrainResult>;
  /** Counters since the table's revisions appeared. */
  readonly stats?: (ctx: PluginContext<Config>) => Promise<readonly RevisionStats[]>;
}

/** All routes of one environment at one moment. */
export interface RouteTable {
  /** Grows with every switch of the environment, also when going back. */
  readonly generation: number;
  readonly routes: readonly Route[];
}

/** How one service is reached. */
export interface Route {
  readonly service: string;
  /** Host names without port, lower case. */
  readonly hosts: readonly string[];
  /** The stable loopback port; null lets the provider choose one (it is kept afterwards). */
  readonly port: number | null;
  /** Addresses besides loopback on which the port answers: how revisions on other networks of this machine reach it. */
  readonly bind: readonly string[];
  /** May be empty: then 503. */
  readonly targets: readonly Target[];
  /** Hold new requests up to this many milliseconds for a target to come; null answers 503 at once when there is none. */
  readonly holdMs: number | null;
}

/** One place that requests may go to. */
export interface Target {
  readonly revision: string;
  /** The release that the revision belongs to, for counters and headers; null before it has one. */
  readonly release: string | null;
  readonly endpoint: Endpoint;
  /** Share among the route's targets. 0 takes none. */
  readonly weight: number;
}

/** A route table as served. */
export interface ObservedTable<State = unknown> {
  readonly state: State;
  readonly generation: number;
  readonly table: RouteTable;
  /** Where each service answers. */
  readonly addresses: readonly ServiceAddress[];
}

/** Where a service answers, unchanged from release to release. */
export interface ServiceAddress {
  readonly service: string;
  /** For browsers and curl: by host name. */
  readonly url: string;
  /** For every client: a loopback port that is this service's alone. */
  readonly address: { readonly host: string; readonly port: number };
}

export interface DrainInput {
  readonly revisions: readonly string[];
  readonly timeoutMs: number;
}

export interface DrainResult {
  /** Requests and connections that were still open at the end and were closed. */
  readonly closed: number;
  readonly waitedMs: number;
}

/** What the data plane counted for one revision. */
export interface RevisionStats {
  readonly revision: string;
  readonly release: string | null;
  readonly requests: number;
  /** Answers that the data plane itself had to make because the target failed. */
  readonly failures: number;
  readonly inFlight: number;
}

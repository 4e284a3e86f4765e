import type { Endpoint, EndpointKind, Route, RouteTable, ServiceAddress, Target } from "@helixstack/sdk";
import { canonicalJson } from "./digest.ts";
import { hostName } from "./names.ts";

/** How one service of a table is to be reached. */
export interface RoutedService {
  readonly service: string;
  /** The revision that answers; null for nobody yet. */
  readonly revision: { readonly id: string; readonly endpoints: readonly Endpoint[] } | null;
  readonly release: string | null;
  /** Milliseconds for which requests wait while nobody answers; null answers 503. */
  readonly holdMs: number | null;
  /** Addresses besides loopback under which dependants reach it. */
  readonly bind: readonly string[];
}

/** What a table is made of. */
export interface TableInput {
  readonly project: string;
  readonly environment: string;
  readonly generation: number;
  readonly services: readonly RoutedService[];
  /** The kinds of endpoint that the provider routes to. */
  readonly kinds: readonly EndpointKind[];
  /** Ports that were given before; they stay. */
  readonly addresses: readonly ServiceAddress[];
}

/** The whole table of an environment at one delivery provider. Each instance of a revision is a target of the same weight. */
export function routeTable({ project, environment, generation, services, kinds, addresses }: TableInput): RouteTable {
  const routes = services.map(({ service, revision, release, holdMs, bind }): Route => ({
    service,
    hosts: [hostName({ project, environment, service })],
    port: addresses.find((known) => known.service === service)?.address.port ?? null,
    bind: bind.toSorted(),
    targets: revision ? targetsOf(revision, release).filter(({ endpoint }) => kinds.includes(endpoint.kind)) : [],
    holdMs,
  }));
  return { generation, routes: routes.toSorted((a, b) => (a.service < b.service ? -1 : 1)) };
}

/** Whether two tables bring the same requests to the same places; generations do not count. */
export function isSameTable(a: RouteTable | null, b: RouteTable | null): boolean {
  return canonicalJson(a && withoutPorts(a)) === canonicalJson(b && withoutPorts(b));
}

/** Whether the table brings a service's requests to this revision and no other. */
export function routesTo(table: RouteTable | null, { service, revision }: { service: string; revision: string }): boolean {
  const route = table?.routes.find((candidate) => candidate.service === service);
  if (!route || route.holdMs !== null || route.targets.length === 0) return false;
  return route.targets.every((target) => target.revision === revision);
}

function targetsOf({ id, endpoints }: { id: string; endpoints: readonly Endpoint[] }, release: string | null): readonly Target[] {
  return endpoints.map((endpoint) => ({ revision: id, release, endpoint, weight: 1 }));
}

/** A port that the provider chose stands in the served table and not in the one that asked for it. */
function withoutPorts({ routes }: RouteTable): unknown {
  return routes.map((route) => ({ ...route, port: null }));
}

import type { Route, RouteTable, Target } from "@helixstack/sdk";
import type { Limits } from "../config.ts";
import type { Revision, Revisions } from "./revision.ts";
import { Upstream } from "./upstream.ts";

/** A target as requests see it. */
export interface LiveTarget {
  readonly key: string;
  readonly revision: Revision;
  readonly upstream: Upstream;
  readonly weight: number;
  /** Running value of the weighted choice. */
  current: number;
}

/** A route as requests see it. Never changed: a switch makes new ones. */
export interface LiveRoute {
  readonly key: string;
  readonly service: string;
  readonly hosts: readonly string[];
  readonly port: number;
  /** Only those that take requests. */
  readonly targets: readonly LiveTarget[];
  /** All, also those of weight 0, whose connections stay. */
  readonly all: readonly LiveTarget[];
  readonly holdMs: number | null;
}

export interface CompileOptions {
  readonly tableKey: string;
  readonly table: RouteTable;
  readonly ports: Readonly<Record<string, number>>;
  /** The routes of the same table until now: connections to targets that stay are kept. */
  readonly before: readonly LiveRoute[];
  readonly revisions: Revisions;
  readonly limits: Limits;
}

/** Makes the routes of one table ready to serve. Opens nothing. */
export function compileRoutes(options: CompileOptions): readonly LiveRoute[] {
  const kept = new Map(options.before.flatMap(({ all }) => all.map((target) => [target.key, target.upstream] as const)));
  return options.table.routes.map((route) => {
    const key = `${options.tableKey}|${route.service}`;
    const all = route.targets.flatMap((target) => compileTarget(key, target, kept, options));
    return {
      key,
      service: route.service,
      hosts: route.hosts,
      port: portOf(route, options.ports),
      targets: all.filter(({ weight }) => weight > 0),
      all,
      holdMs: route.holdMs,
    };
  });
}

/** The connections that only the former routes use. */
export function retiredUpstreams(before: readonly LiveRoute[], after: readonly LiveRoute[]): readonly Upstream[] {
  const used = new Set(after.flatMap(({ all }) => all.map(({ upstream }) => upstream)));
  return before.flatMap(({ all }) => all.map(({ upstream }) => upstream)).filter((upstream) => !used.has(upstream));
}

function compileTarget(route: string, target: Target, kept: ReadonlyMap<string, Upstream>, options: CompileOptions): readonly LiveTarget[] {
  if (target.endpoint.kind !== "http") return [];
  const { host, port } = target.endpoint;
  // The revision is part of it: a port that another revision had before must not lend it its connections.
  const key = `${route}|${target.revision}|${host}|${port}`;
  const upstream = kept.get(key) ?? new Upstream({ host, port }, options.limits);
  return [{ key, revision: options.revisions.of(target.revision, target.release), upstream, weight: target.weight, current: 0 }];
}

function portOf(route: Route, ports: Readonly<Record<string, number>>): number {
  return ports[route.service] ?? route.port ?? 0;
}

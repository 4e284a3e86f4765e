import type { RouteTable } from "@helixstack/sdk";
import { Type } from "typebox";
import Value from "typebox/value";
import { hostName } from "./host-name.ts";

const port = Type.Integer({ minimum: 1, maximum: 65_535 });

const endpoint = Type.Object({ kind: Type.Literal("http"), host: Type.String({ minLength: 1 }), port });

const tableSchema = Type.Object({
  generation: Type.Integer({ minimum: 0 }),
  routes: Type.Array(
    Type.Object({
      service: Type.String({ minLength: 1 }),
      hosts: Type.Array(Type.String()),
      port: Type.Union([port, Type.Null()]),
      bind: Type.Array(Type.String({ minLength: 1 })),
      targets: Type.Array(
        Type.Object({
          revision: Type.String({ minLength: 1 }),
          release: Type.Union([Type.String(), Type.Null()]),
          endpoint,
          weight: Type.Number({ minimum: 0 }),
        }),
      ),
      holdMs: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
    }),
  ),
});

/** Why a table cannot be served, naming the place; null when it can. */
export function tableProblem(table: unknown): string | null {
  if (!Value.Check(tableSchema, table)) {
    const first = Value.Errors(tableSchema, table)[0];
    return `the route table is wrong at ${first?.instancePath || "/"}: ${first?.message ?? "not a route table"}`;
  }
  return repetition(table as RouteTable);
}

function repetition(table: RouteTable): string | null {
  const services = new Set<string>();
  const hosts = new Set<string>();
  for (const route of table.routes) {
    if (services.has(route.service)) return `the route table names the service "${route.service}" twice`;
    services.add(route.service);
    for (const host of route.hosts) {
      if (hostName(host) !== host) return `"${host}" of service "${route.service}" is not a lower-case host name`;
      if (hosts.has(host)) return `the route table has the host "${host}" twice`;
      hosts.add(host);
    }
  }
  return null;
}

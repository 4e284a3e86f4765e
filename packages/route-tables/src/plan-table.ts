import { type Change, type ObservedTable, type Route, type RouteTable, specDigest } from "@helixstack/sdk";

const FIELDS = ["hosts", "port", "bind", "targets", "holdMs"] as const;

/** What a switch would change, route by route. The generation is no change: it says when, not what. */
export function planTable({ table, observed }: { readonly table: RouteTable; readonly observed: ObservedTable | null }): readonly Change[] {
  if (observed === null) return [{ action: "create", path: "", from: null, to: table }];
  const before = new Map(observed.table.routes.map((route) => [route.service, route]));
  const after = new Map(table.routes.map((route) => [route.service, route]));
  const removed = [...before.values()]
    .filter(({ service }) => !after.has(service))
    .map((route): Change => ({ action: "delete", path: `routes.${route.service}`, from: route, to: null }));
  return [...[...after.values()].flatMap((route) => routeChanges(route, before.get(route.service), observed)), ...removed];
}

function routeChanges(route: Route, before: Route | undefined, observed: ObservedTable): readonly Change[] {
  const path = `routes.${route.service}`;
  if (before === undefined) return [{ action: "create", path, from: null, to: route }];
  const address = observed.addresses.find(({ service }) => service === route.service)?.address;
  return FIELDS.flatMap((field): readonly Change[] => {
    const [from, to] = [before[field], route[field]];
    // A port left to the router, and the port it chose, are the same.
    if (field === "port" && (to === null || to === address?.port)) return [];
    return specDigest(from) === specDigest(to) ? [] : [{ action: "update", path: `${path}.${field}`, from, to }];
  });
}

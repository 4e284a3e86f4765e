import { expect, test } from "vitest";
import { isSameTable, routeTable, routesTo, type RoutedService } from "../../src/domain/route-table.ts";

const revision = {
  id: "rev_1",
  endpoints: [{ kind: "http", host: "127.0.0.1", port: 4001 } as const, { kind: "http", host: "127.0.0.1", port: 4002 } as const],
};
const web: RoutedService = { service: "web", revision, release: "rel_1", holdMs: null, bind: ["172.17.0.1"] };
const table = (services: RoutedService[], generation = 1) =>
  routeTable({
    project: "shop",
    environment: "production",
    generation,
    services,
    kinds: ["http"],
    addresses: [{ service: "web", url: "http://web", address: { host: "127.0.0.1", port: 7000 } }],
  });

test("each instance is a target, the port stays", () => {
  expect(table([web]).routes).toEqual([
    {
      service: "web",
      hosts: ["web.production.shop.localhost"],
      port: 7000,
      bind: ["172.17.0.1"],
      holdMs: null,
      targets: revision.endpoints.map((endpoint) => ({ revision: "rev_1", release: "rel_1", endpoint, weight: 1 })),
    },
  ]);
});

test("a service without a revision has an address and answers 503", () => {
  expect(table([{ ...web, service: "new", revision: null }]).routes[0]).toMatchObject({ port: null, targets: [] });
});

test("generations and chosen ports make no difference, targets do", () => {
  const known = table([web]);
  expect(isSameTable(known, { generation: 9, routes: known.routes.map((route) => ({ ...route, port: null })) })).toBe(true);
  expect(isSameTable(known, table([{ ...web, revision: null }]))).toBe(false);
  expect(isSameTable(known, null)).toBe(false);
});

test("whether a service is reached", () => {
  expect(routesTo(table([web]), { service: "web", revision: "rev_1" })).toBe(true);
  expect(routesTo(table([web]), { service: "web", revision: "rev_2" })).toBe(false);
  expect(routesTo(table([{ ...web, revision: null }]), { service: "web", revision: "rev_1" })).toBe(false);
  expect(routesTo(table([{ ...web, holdMs: 9 }]), { service: "web", revision: "rev_1" })).toBe(false);
  expect(routesTo(null, { service: "web", revision: "rev_1" })).toBe(false);
});

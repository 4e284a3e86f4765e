import { createHash } from "node:crypto";
import type { StoredTable, TableKey } from "@helixstack/route-tables";
import type { Route, Target } from "@helixstack/sdk";
import { turnsOf } from "./slots.ts";

/** The maps of HAProxy, in the order in which a new table must reach them: who asks for it is told last. */
export const MAPS = ["routes", "tables", "hosts", "ports"] as const;

export type MapName = (typeof MAPS)[number];

/** One entry of a map; null: it goes. */
export interface Entry {
  readonly map: MapName;
  readonly key: string;
  readonly value: string | null;
}

/** A table on HAProxy's disk. */
export interface HaproxyTable extends StoredTable {
  /** Where revisions were that left the table: drain has to find what is still open to them. Newest first. */
  readonly former: readonly Place[];
  /** Keys of the routes of the generation before, which go with the next switch. */
  readonly stale: readonly string[];
}

/** Where a revision answered. */
export interface Place {
  readonly revision: string;
  readonly address: string;
}

/** Names a table in the maps. */
export function tableId({ installation, unit }: TableKey): string {
  return createHash("sha256").update(`${installation}\n${unit}`).digest("hex").slice(0, 16);
}

/**
 * What changes in the maps between two tables of one environment. Routes carry their generation, so new ones are unseen until `tables` points at them: that one
 * entry is the switch. Routes of the generation before stay until the next switch, for requests that are just being placed.
 */
export function changesBetween(before: HaproxyTable | null, after: HaproxyTable | null): readonly Entry[] {
  const [old, made] = [before === null ? [] : entriesOf(before), after === null ? [] : entriesOf(after)];
  const known = new Map(old.map(({ map, key, value }) => [`${map} ${key}`, value]));
  const wanted = new Set(made.map(({ map, key }) => `${map} ${key}`));
  const set = made.filter(({ map, key, value }) => known.get(`${map} ${key}`) !== value);
  const gone = old.filter(({ map, key }) => !wanted.has(`${map} ${key}`) && (map !== "routes" || after === null));
  const stale = set.length === 0 && gone.length === 0 ? [] : (before?.stale ?? []);
  return [
    ...set.toSorted(inOrder),
    ...gone
      .toSorted(inOrder)
      .toReversed()
      .map(({ map, key }) => ({ map, key, value: null })),
    ...stale.map((key): Entry => ({ map: "routes", key, value: null })),
  ];
}

/** The keys of a table's routes. */
export function routeKeysOf(table: HaproxyTable): readonly string[] {
  return entriesOf(table).flatMap(({ map, key }) => (map === "routes" ? [key] : []));
}

/** Every entry of a table. */
export function entriesOf({ owner, table, ports }: HaproxyTable): readonly Entry[] {
  const id = tableId(owner);
  const routes = table.routes.flatMap((route) => {
    const at = `${id}/${route.service}`;
    return [
      ...routeEntries(`${at}/${table.generation}`, route),
      ...route.hosts.map((host): Entry => ({ map: "hosts", key: host, value: at })),
      { map: "ports", key: String(ports[route.service]), value: at } as const,
    ];
  });
  return [...routes, { map: "tables", key: id, value: String(table.generation) }];
}

function routeEntries(key: string, { targets, holdMs }: Route): readonly Entry[] {
  const turns = turnsOf(targets);
  if (turns.length === 0) return [{ map: "routes", key, value: holdMs === null ? "-" : `~${Math.ceil(holdMs)}` }];
  const [only] = turns;
  if (turns.length === 1) return [{ map: "routes", key, value: placeOf(only!) }];
  const each = turns.map((target, turn): Entry => ({ map: "routes", key: `${key}/${turn}`, value: placeOf(target) }));
  return [...each, { map: "routes", key, value: `*${turns.length}` }];
}

function placeOf({ endpoint, release }: Target): string {
  return endpoint.kind === "http" ? `${endpoint.host}|${endpoint.port}|${release ?? ""}` : "-";
}

function inOrder(a: Entry, b: Entry): number {
  return MAPS.indexOf(a.map) - MAPS.indexOf(b.map);
}

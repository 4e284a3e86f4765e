import { type Entry, type MapTree, type Tree, isNull } from "./tree.ts";

/** Lays `over` upon `base`: maps merge, null removes, everything else replaces. Each part keeps its own place in the text. */
export function mergeTrees(base: Tree, over: Tree): Tree {
  if (base.kind !== "map" || over.kind !== "map") return over.kind === "map" ? withoutNulls(over) : over;
  const entries = new Map(base.entries);
  for (const [key, entry] of over.entries) {
    const below = entries.get(key);
    if (isNull(entry.node)) entries.delete(key);
    else entries.set(key, below ? mergeEntries(below, entry) : cleaned(entry));
  }
  return { kind: "map", span: base.span, entries };
}

/** Two maps stay where the lower one stands; a value that replaces another stands where it was written. */
function mergeEntries(below: Entry, over: Entry): Entry {
  const bothMaps = below.node.kind === "map" && over.node.kind === "map";
  return { key: bothMaps ? below.key : over.key, node: mergeTrees(below.node, over.node) };
}

/** The tree without the keys whose value is null: what an override sets. */
export function withoutNulls(tree: Tree): Tree {
  if (tree.kind !== "map") return tree;
  const kept = [...tree.entries].filter(([, { node }]) => !isNull(node)).map(([key, entry]) => [key, cleaned(entry)] as const);
  return { ...tree, entries: new Map(kept) } satisfies MapTree;
}

function cleaned(entry: Entry): Entry {
  return { key: entry.key, node: withoutNulls(entry.node) };
}

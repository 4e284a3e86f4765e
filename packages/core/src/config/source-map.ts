import { nearestLine } from "../domain/origin.ts";
import { placeOf } from "./problems.ts";
import { mergedServices } from "./read-manifest.ts";
import { type Entry, type Tree, entriesOf, entryOf } from "./tree.ts";
import { parseYaml } from "./yaml.ts";

/** Says where in `helix.yaml` a value of the resolved manifest was written. */
export interface SourceMap {
  /** Line (from 1) of a dotted path, or of its nearest ancestor that stands in the file; null when none does. */
  lineOf(path: string): number | null;
  /** Line of every path that stands in the file: plain data, to be kept with a deployment. */
  lines(): Readonly<Record<string, number>>;
}

/** The source map of one environment: an override's line wins over the line of what it overrides. */
export function sourceMapOf({ text, environment }: { readonly text: string; readonly environment: string }): SourceMap {
  const { tree } = parseYaml(text);
  const lines = tree ? linesOf(merged(tree, environment), { text, prefix: "" }) : {};
  return { lines: () => lines, lineOf: (path) => nearestLine(lines, path) };
}

function merged(tree: Tree, environment: string): Tree {
  const services = entryOf(tree, "services");
  if (tree.kind !== "map" || !services) return tree;
  const entry: Entry = { key: services.key, node: mergedServices(tree, { environment }) };
  return { ...tree, entries: new Map([...tree.entries, ["services", entry]]) };
}

function linesOf(tree: Tree, { text, prefix }: { text: string; prefix: string }): Record<string, number> {
  const children =
    tree.kind === "list"
      ? tree.items.map((node, i) => [String(i), { key: node.span, node }] as const)
      : entriesOf(tree).filter(([key]) => prefix !== "" || key !== "environments");
  const found = children.flatMap(([key, entry]) => {
    const path = `${prefix}${key}`;
    return [[path, placeOf(text, entry.key.start).line] as const, ...Object.entries(linesOf(entry.node, { text, prefix: `${path}.` }))];
  });
  return Object.fromEntries(found);
}

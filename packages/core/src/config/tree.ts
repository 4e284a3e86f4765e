/** A part of the text, as offsets. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A YAML value that knows where it stands. */
export type Tree = MapTree | ListTree | ScalarTree;

export interface MapTree {
  readonly kind: "map";
  readonly span: Span;
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface Entry {
  /** Where the key stands. */
  readonly key: Span;
  readonly node: Tree;
}

export interface ListTree {
  readonly kind: "list";
  readonly span: Span;
  readonly items: readonly Tree[];
}

export interface ScalarTree {
  readonly kind: "scalar";
  readonly span: Span;
  readonly value: string | number | boolean | null;
  /** As it is written, so that `1.10` stays `1.10` where a string is wanted. */
  readonly source: string;
}

/** The plain value. */
export function toValue(tree: Tree): unknown {
  if (tree.kind === "scalar") return tree.value;
  if (tree.kind === "list") return tree.items.map(toValue);
  return Object.fromEntries([...tree.entries].map(([key, { node }]) => [key, toValue(node)]));
}

/** A tree for a value that stands in no text; everything in it points at `span`. */
export function fromValue(value: unknown, span: Span): Tree {
  if (Array.isArray(value)) return { kind: "list", span, items: value.map((item) => fromValue(item, span)) };
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).map(([key, inner]) => [key, { key: span, node: fromValue(inner, span) }] as const);
    return { kind: "map", span, entries: new Map(entries) };
  }
  const scalar = value === undefined ? null : (value as ScalarTree["value"]);
  return { kind: "scalar", span, value: scalar, source: String(scalar) };
}

/** The entry under a key; undefined when there is none or the tree is no map. */
export function entryOf(tree: Tree | undefined, key: string): Entry | undefined {
  return tree?.kind === "map" ? tree.entries.get(key) : undefined;
}

/** The value under a chain of keys. */
export function nodeAt(tree: Tree | undefined, ...keys: readonly string[]): Tree | undefined {
  return keys.reduce<Tree | undefined>((node, key) => entryOf(node, key)?.node, tree);
}

/** The entries of a map, none for anything else: for checks that run on trees which may be malformed. */
export function entriesOf(tree: Tree | undefined): readonly (readonly [string, Entry])[] {
  return tree?.kind === "map" ? [...tree.entries] : [];
}

/** The text of a string scalar, else undefined. */
export function textOf(tree: Tree | undefined): string | undefined {
  return tree?.kind === "scalar" && typeof tree.value === "string" ? tree.value : undefined;
}

export function isNull(tree: Tree | undefined): boolean {
  return tree?.kind === "scalar" && tree.value === null;
}

import { type Document, type Node, type Pair, type YAMLError, isAlias, isMap, isScalar, isSeq, parseAllDocuments } from "yaml";
import type { Problem } from "./problems.ts";
import type { Entry, MapTree, ScalarTree, Span, Tree } from "./tree.ts";

const MAX_CHARACTERS = 1 << 20;
/** What aliases may unfold to. A manifest of this many values is an accident or an attack. */
const MAX_NODES = 20_000;
const MAX_DEPTH = 60;

/** The text as a tree, and what is wrong with it as YAML. `tree` is null when nothing can be read. */
export function parseYaml(text: string): { readonly tree: Tree | null; readonly problems: readonly Problem[] } {
  if (text.length > MAX_CHARACTERS) return failure(`the file has ${text.length} characters; the most is ${MAX_CHARACTERS}`, at(0));
  const documents = parseAllDocuments(text, { prettyErrors: false, keepSourceTokens: false, logLevel: "silent" });
  const [first, second] = documents as Document.Parsed[];
  if (!first?.contents) return failure("the file is empty; write at least `project` and `services`", at(0));
  const problems = firstOfEachLine(first.errors, text).map((error) => syntaxProblem(error, text));
  if (second) {
    problems.push(problem("only one YAML document is read; remove what follows the `---`", at(separatorBefore(text, second.range[0]))));
  }
  if (problems.length > 0) return { tree: null, problems };
  const reader = new Reader(first);
  const tree = reader.read(first.contents, 0);
  return { tree, problems: reader.problems };
}

/** Turns the parser's nodes into a {@link Tree}, unfolding aliases within limits. */
class Reader {
  readonly problems: Problem[] = [];
  readonly #document: Document.Parsed;
  #nodes = 0;

  constructor(document: Document.Parsed) {
    this.#document = document;
  }

  read(node: Node | null, depth: number): Tree {
    const span = spanOf(node);
    if (++this.#nodes > MAX_NODES || depth > MAX_DEPTH) {
      // Said once: every further value would repeat it.
      if (this.#nodes !== Infinity) this.problems.push(problem("anchors unfold to too many values", span));
      this.#nodes = Infinity;
      return nothing(span);
    }
    if (isAlias(node)) return this.#alias(node.resolve(this.#document), { name: node.source, span, depth });
    if (node?.tag && !node.tag.startsWith("tag:yaml.org,2002:")) this.problems.push(problem(`the tag ${node.tag} is not known here`, span));
    if (isMap(node)) return this.#map(node.items as Pair<Node, Node | null>[], { span, depth });
    if (isSeq(node)) return { kind: "list", span, items: node.items.map((item) => this.read(item as Node, depth + 1)) };
    return this.#scalar(node, span);
  }

  #alias(target: Node | undefined, { name, span, depth }: { name: string; span: Span; depth: number }): Tree {
    if (target) return moved(this.read(target, depth + 1), span);
    this.problems.push(problem(`there is no anchor &${name}`, span));
    return nothing(span);
  }

  #map(pairs: readonly Pair<Node, Node | null>[], { span, depth }: { span: Span; depth: number }): MapTree {
    const entries = new Map<string, Entry>();
    for (const { key, value } of pairs) {
      const name = isScalar(key) ? (key.source ?? String(key.value)) : null;
      if (name === null) this.problems.push(problem("a key must be plain text", spanOf(key)));
      else if (name === "<<") this.#mergeInto(entries, this.read(value, depth + 1));
      else entries.set(name, { key: spanOf(key), node: value ? this.read(value, depth + 1) : nothing(spanOf(key)) });
    }
    return { kind: "map", span, entries };
  }

  /** `<<: *base` and `<<: [*a, *b]`: keys that stand in the map itself win. */
  #mergeInto(entries: Map<string, Entry>, source: Tree): void {
    for (const part of source.kind === "list" ? source.items : [source]) {
      if (part.kind !== "map") this.problems.push(problem("`<<` takes a map", part.span));
      else for (const [key, entry] of part.entries) if (!entries.has(key)) entries.set(key, entry);
    }
  }

  #scalar(node: Node | null, span: Span): ScalarTree {
    const value = isScalar(node) ? node.value : null;
    const source = isScalar(node) ? (node.source ?? "") : "";
    if (typeof value === "string" && value.includes("\0")) this.problems.push(problem("a zero byte cannot stand in a value", span));
    if (value === null || ["string", "number", "boolean"].includes(typeof value)) {
      return { kind: "scalar", span, value: value as ScalarTree["value"], source };
    }
    this.problems.push(problem("only text, numbers, true and false may stand here", span));
    return nothing(span);
  }
}

/** What an alias names, pointing at the alias: that is the place a reader has to look at first. */
function moved(tree: Tree, span: Span): Tree {
  return { ...tree, span };
}

function nothing(span: Span): ScalarTree {
  return { kind: "scalar", span, value: null, source: "" };
}

function spanOf(node: Node | null): Span {
  const [start, end] = node?.range ?? [0, 0];
  return { start, end };
}

/** The parser's own words, but for the mistakes that people really make. */
function syntaxProblem({ code, message, pos }: YAMLError, text: string): Problem {
  const start = code === "BAD_INDENT" ? skipBlanks(text, pos[0]) : pos[0];
  return problem(syntaxMessage(code, { message, text, start }), { start, end: Math.max(start + 1, pos[1]) });
}

function syntaxMessage(code: YAMLError["code"], { message, text, start }: { message: string; text: string; start: number }): string {
  if (code === "TAB_AS_INDENT") return "a tab stands where spaces must; indent with spaces";
  if (code === "DUPLICATE_KEY") return `the key ${JSON.stringify(wordAt(text, start))} stands here twice; remove one`;
  if (code === "BLOCK_AS_IMPLICIT_KEY") return nestedMessage(lineAt(text, start));
  if (code === "BAD_SCALAR_START") return `a value cannot begin with ${text[start]}; put it in quotes`;
  if (code === "MULTILINE_IMPLICIT_KEY") return "a `: ` is missing after the key";
  return `this is not YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}

function nestedMessage(line: string): string {
  if (line.split(": ").length > 2) return "a second `: ` stands in this line; put the value in quotes, or begin a new line";
  return "the next line is indented deeper than this one; keys of one map begin in one column";
}

function lineAt(text: string, offset: number): string {
  const end = text.indexOf("\n", offset);
  return text.slice(text.lastIndexOf("\n", offset - 1) + 1, end < 0 ? undefined : end);
}

/** One slip makes the parser complain several times; the first complaint of a line is the one to read. */
function firstOfEachLine(errors: readonly YAMLError[], text: string): readonly YAMLError[] {
  const lines = new Map<number, YAMLError>();
  for (const error of errors) {
    const line = text.slice(0, error.pos[0]).split("\n").length;
    if (!lines.has(line)) lines.set(line, error);
  }
  return [...lines.values()];
}

function separatorBefore(text: string, offset: number): number {
  return Math.max(0, text.lastIndexOf("---", offset));
}

function skipBlanks(text: string, from: number): number {
  let offset = from;
  while (text[offset] === " ") offset++;
  return offset;
}

function wordAt(text: string, start: number): string {
  return /^[^\s:]+/.exec(text.slice(start))?.[0].replace(/^["']|["']$/g, "") ?? "";
}

function problem(message: string, span: Span): Problem {
  return { code: "MANIFEST_INVALID", message, path: "", span };
}

function failure(message: string, span: Span): { tree: null; problems: readonly Problem[] } {
  return { tree: null, problems: [problem(message, span)] };
}

function at(offset: number): Span {
  return { start: offset, end: offset + 1 };
}

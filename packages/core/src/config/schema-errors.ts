import type { ErrorObject } from "ajv";
import { didYouMean } from "../domain/suggest.ts";
import type { Problem } from "./problems.ts";
import { type Span, type Tree, entryOf } from "./tree.ts";

/** What an ajv error says of its schema (`verbose: true`). */
type Verbose = ErrorObject & { readonly parentSchema?: Record<string, unknown>; readonly data?: unknown };

/** ajv's errors as sentences that name the place, the key and what is meant. */
export function schemaProblems(errors: readonly ErrorObject[], tree: Tree): readonly Problem[] {
  return relevant(errors as readonly Verbose[]).map((error) => {
    const keys = pointerKeys(error.instancePath);
    return { code: "MANIFEST_INVALID", message: messageOf(error, keys), path: pathOf(error, keys), span: spanOf(error, { tree, keys }) };
  });
}

/**
 * Of a union only what was meant counts: the errors of the branch whose type fits the value; or, where none fits, the union's own. A wrong
 * name is told by what its pattern says, not also by `propertyNames`.
 */
function relevant(errors: readonly Verbose[]): readonly Verbose[] {
  const unions = errors.filter(({ keyword }) => keyword === "anyOf");
  const hidden = new Set<Verbose>(errors.filter(({ keyword }) => keyword === "propertyNames" || keyword === "if"));
  for (const union of unions) {
    const branches = ((union.parentSchema?.["anyOf"] ?? []) as unknown[]).map((_, i) =>
      errors.filter(
        ({ schemaPath, instancePath }) => isBelow(instancePath, union.instancePath) && schemaPath.startsWith(`${union.schemaPath}/${i}/`),
      ),
    );
    const meant = branches.find(
      (branch) => !branch.some(({ keyword, instancePath }) => keyword === "type" && instancePath === union.instancePath),
    );
    for (const error of branches.flat()) if (!meant?.includes(error)) hidden.add(error);
    if (meant) hidden.add(union);
  }
  return errors.filter((error) => !hidden.has(error));
}

function isBelow(path: string, above: string): boolean {
  return path === above || path.startsWith(`${above}/`);
}

function messageOf(error: Verbose, keys: readonly string[]): string {
  const what = keys.length === 0 ? "the file" : keys.join(".");
  const { params, parentSchema = {} } = error;
  switch (error.keyword) {
    case "additionalProperties":
      return unknownKey(String(params["additionalProperty"]), { where: keys, parentSchema });
    case "required":
      return `${what} has no ${quote(params["missingProperty"])}`;
    case "type":
      return `${what} must be ${typeWords(params["type"], parentSchema)}, not ${valueWords(error.data)}`;
    case "anyOf":
      return `${what} must be ${unionWords(parentSchema)}, not ${valueWords(error.data)}`;
    case "enum":
      return oneOf(what, { value: error.data, allowed: params["allowedValues"] as unknown[] });
    case "const":
      return oneOf(what, { value: error.data, allowed: [params["allowedValue"]] });
    case "pattern":
      return patternWords(error, what);
    default:
      return limitWords(error, what);
  }
}

function limitWords({ keyword, params, message }: Verbose, what: string): string {
  const limit = String(params["limit"]);
  switch (keyword) {
    case "minimum":
      return `${what} must be at least ${limit}`;
    case "maximum":
      return `${what} must be at most ${limit}`;
    case "exclusiveMinimum":
      return `${what} must be more than ${limit}`;
    case "minProperties":
    case "minItems":
    case "minLength":
      return `${what} must not be empty`;
    case "uniqueItems":
      return `${what} names the same thing twice`;
    default:
      return `${what} ${message ?? "is not valid"}`;
  }
}

function unknownKey(key: string, { where, parentSchema }: { where: readonly string[]; parentSchema: Record<string, unknown> }): string {
  const known = Object.keys((parentSchema["properties"] as object | undefined) ?? {});
  const place = where.length === 0 ? "" : ` in ${where.join(".")}`;
  const meant = didYouMean(key, known);
  const hint = meant || (known.length === 0 ? "; it takes no keys" : `; the keys here are ${known.join(", ")}`);
  return `unknown key ${quote(key)}${place}${hint}`;
}

/** Names and texts with a form of their own: `title` says what it is, `examples` how to write it. */
function patternWords({ propertyName, data, parentSchema = {}, message }: Verbose, what: string): string {
  const title = parentSchema["title"];
  if (typeof title !== "string") return `${what} ${message ?? "is not valid"}`;
  const examples = ((parentSchema["examples"] as string[] | undefined) ?? []).map((example) => `\`${example}\``);
  const how = examples.length === 0 ? "" : `; write it like ${examples.join(", ")}`;
  if (propertyName !== undefined) return `${quote(propertyName)} in ${what} is not ${title}${how}`;
  return `${what} is ${quote(data)}, which is not ${title}${how}`;
}

function oneOf(what: string, { value, allowed }: { value: unknown; allowed: readonly unknown[] }): string {
  const meant = typeof value === "string" ? didYouMean(value, allowed.map(String)) : "";
  return `${what} must be ${allowed.map(String).join(" or ")}, not ${valueWords(value)}${meant}`;
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  object: "a map of keys",
  array: "a list",
  string: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  null: "empty",
};

function typeWords(type: unknown, schema: Record<string, unknown>): string {
  const words = [type]
    .flat()
    .map((one) => TYPE_WORDS[String(one)] ?? String(one))
    .join(" or ");
  return typeof schema["title"] === "string" && type === "string" ? schema["title"] : words;
}

function unionWords(schema: Record<string, unknown>): string {
  const branches = schema["anyOf"] as Record<string, unknown>[];
  return branches.map((branch) => typeWords(branch["type"], branch)).join(" or ");
}

function valueWords(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a map of keys" : quote(value);
}

function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 57)}..."` : text;
}

function pathOf({ params, propertyName }: Verbose, keys: readonly string[]): string {
  const last = params["additionalProperty"] ?? propertyName;
  return (typeof last === "string" ? [...keys, last] : keys).join(".");
}

/** The key for what is wrong with a key, the value for what is wrong with a value. */
function spanOf({ params, propertyName, keyword }: Verbose, { tree, keys }: { tree: Tree; keys: readonly string[] }): Span {
  const node = follow(tree, keys);
  const last = params["additionalProperty"] ?? propertyName;
  if (typeof last === "string") return entryOf(node, last)?.key ?? node.span;
  const whole = keyword === "required" || keyword === "minProperties" || node.span.start === node.span.end;
  const parent = keys.length > 0 ? follow(tree, keys.slice(0, -1)) : undefined;
  return (whole ? entryOf(parent, keys.at(-1) ?? "")?.key : undefined) ?? (keys.length === 0 ? { start: 0, end: 1 } : node.span);
}

function follow(tree: Tree, keys: readonly string[]): Tree {
  return keys.reduce<Tree>((node, key) => (node.kind === "list" ? node.items[Number(key)] : entryOf(node, key)?.node) ?? node, tree);
}

function pointerKeys(pointer: string): readonly string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
}

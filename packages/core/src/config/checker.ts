import { Ajv, type Options, type ValidateFunction } from "ajv";
import type { TSchema } from "typebox";
import { schemaProblems } from "./schema-errors.ts";
import type { Problem } from "./problems.ts";
import { type Tree, toValue } from "./tree.ts";

const OPTIONS = { allErrors: true, verbose: true, strict: false, validateFormats: false } as const;

/** Compiled once: that takes tens of milliseconds, and there are as many schemas as sets of plugins. */
const compiled = new Map<string, ValidateFunction>();
const KEPT = 100;

/** A function that says how a tree differs from a schema. */
export function checkerOf(schema: TSchema): (tree: Tree) => readonly Problem[] {
  const validate = compile(schema, OPTIONS);
  return (tree) => (validate(toValue(tree)) ? [] : schemaProblems(validate.errors ?? [], tree));
}

/** A function that fills in a schema's defaults, in a copy. */
export function fillerOf(schema: TSchema): (value: Readonly<Record<string, unknown>>) => Record<string, unknown> {
  const validate = compile(schema, { ...OPTIONS, useDefaults: true });
  return (value) => {
    const copy = structuredClone(value) as Record<string, unknown>;
    validate(copy);
    return copy;
  };
}

/** typebox marks its schemas with symbols and hidden keys; their JSON has neither. */
function compile(schema: TSchema, options: Options): ValidateFunction {
  const text = JSON.stringify(schema);
  const key = `${options.useDefaults ?? false} ${text}`;
  const known = compiled.get(key);
  if (known) return known;
  if (compiled.size >= KEPT) compiled.clear();
  const made = new Ajv(options).compile(JSON.parse(text) as Record<string, unknown>);
  compiled.set(key, made);
  return made;
}

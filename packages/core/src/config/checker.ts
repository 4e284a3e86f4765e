import { Ajv } from "ajv";
import type { TSchema } from "typebox";
import { schemaProblems } from "./schema-errors.ts";
import type { Problem } from "./problems.ts";
import { type Tree, toValue } from "./tree.ts";

const OPTIONS = { allErrors: true, verbose: true, strict: false, validateFormats: false } as const;

/** A function that says how a tree differs from a schema. */
export function checkerOf(schema: TSchema): (tree: Tree) => readonly Problem[] {
  const validate = new Ajv(OPTIONS).compile(plain(schema));
  return (tree) => (validate(toValue(tree)) ? [] : schemaProblems(validate.errors ?? [], tree));
}

/** A function that fills in a schema's defaults, in a copy. */
export function fillerOf(schema: TSchema): (value: Readonly<Record<string, unknown>>) => Record<string, unknown> {
  const validate = new Ajv({ ...OPTIONS, useDefaults: true }).compile(plain(schema));
  return (value) => {
    const copy = structuredClone(value) as Record<string, unknown>;
    validate(copy);
    return copy;
  };
}

/** typebox marks its schemas with symbols and hidden keys; JSON has neither. */
function plain(schema: TSchema): Record<string, unknown> {
  return JSON.parse(JSON.stringify(schema)) as Record<string, unknown>;
}

import { Ajv, type ErrorObject, type Options, type ValidateFunction } from "ajv";
import formats from "ajv-formats";
import type { TSchema } from "typebox";
import { didYouMean } from "../domain/suggest.ts";

/** Both hold nothing but compiled schemas; making one takes longer than most schemas do, so each is made once, and when it is needed. */
const made = new Map<"checking" | "filling", Ajv>();

/** Says what is wrong with a value, a sentence a problem, each with the path; no sentence means that it is right. */
export type SchemaCheck = (value: unknown) => readonly string[];

/** Checks values, changes nothing. Throws where the schema itself is wrong. */
export function checkOf(schema: TSchema): SchemaCheck {
  return checkWith(ajvFor("checking"), schema);
}

/** Checks values and fills the schema's defaults into them, in place. Throws where the schema itself is wrong. */
export function fillingCheckOf(schema: TSchema): SchemaCheck {
  return checkWith(ajvFor("filling"), schema);
}

/**
 * A copy in which objects that list their properties take no others, as the contract promises for every schema of a plugin, without each
 * author having to say so. Parts of an intersection stay open: each part would refuse the others' keys.
 */
export function closed<T>(schema: T): T {
  if (Array.isArray(schema)) return schema.map(closed) as T;
  if (typeof schema !== "object" || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, key === "allOf" ? part : closed(part as unknown)]));
  const listsProperties = inner["type"] === "object" && typeof inner["properties"] === "object";
  return (listsProperties ? { additionalProperties: false, ...inner } : inner) as T;
}

function checkWith(ajv: Ajv, schema: TSchema): SchemaCheck {
  const validate: ValidateFunction = ajv.compile(schema);
  return (value) => (validate(value) ? [] : [...new Set((validate.errors ?? []).map(sentence))]);
}

function ajvFor(use: "checking" | "filling"): Ajv {
  const ajv = made.get(use) ?? createAjv({ useDefaults: use === "filling" });
  made.set(use, ajv);
  return ajv;
}

function createAjv(options: Options): Ajv {
  const ajv = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true, verbose: true, addUsedSchema: false, ...options });
  formats.default(ajv);
  // Says which fact of the local plane fills a field of a plugin's configuration; checks nothing.
  ajv.addKeyword({ keyword: "x-local", schemaType: "string" });
  return ajv;
}

function sentence({ keyword, instancePath, params, message, parentSchema }: ErrorObject): string {
  const path = instancePath.slice(1).replaceAll("/", ".").replaceAll("~1", "/").replaceAll("~0", "~") || "the whole";
  if (keyword === "additionalProperties") {
    const key = String(params["additionalProperty"]);
    const known = Object.keys((parentSchema?.["properties"] as object | undefined) ?? {});
    const place = instancePath === "" ? "" : ` in ${path}`;
    return `unknown key "${key}"${place}${didYouMean(key, known)}`;
  }
  if (keyword === "enum") return `${path} must be one of ${(params["allowedValues"] as unknown[]).map(String).join(", ")}`;
  if (keyword === "const") return `${path} must be ${JSON.stringify(params["allowedValue"])}`;
  return `${path} ${message ?? "is not valid"}`;
}

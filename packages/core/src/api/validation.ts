import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import type { FastifySchemaCompiler, FastifySchema } from "fastify";
import { EngineError } from "../domain/errors.ts";
import { didYouMean } from "../domain/suggest.ts";

const BASE = { strict: false, verbose: true, removeAdditional: false, useDefaults: true, allErrors: false, discriminator: true } as const;

/**
 * Checks requests. Bodies are taken as they are; paths and queries are text, so that numbers and booleans are read from them. What is not known is
 * refused, and the first mistake is named with its path.
 */
export function requestValidator(schemas: readonly object[]): FastifySchemaCompiler<FastifySchema> {
  const strict = new Ajv({ ...BASE, coerceTypes: false });
  const lenient = new Ajv({ ...BASE, coerceTypes: true });
  for (const schema of schemas) for (const ajv of [strict, lenient]) ajv.addSchema(structuredClone(schema));
  return ({ schema, httpPart }) => {
    const ajv = httpPart === "body" ? strict : lenient;
    const validate: ValidateFunction = ajv.compile(plain(schema));
    return (value: unknown) => {
      if (validate(value)) return { value };
      return { error: usageError(validate.errors![0]!, httpPart ?? "body") };
    };
  };
}

function usageError({ keyword, instancePath, params, message, parentSchema, data }: ErrorObject, part: string): EngineError {
  const path = [PARTS[part] ?? part, ...instancePath.split("/").slice(1)].join(".");
  if (keyword === "additionalProperties") {
    const key = String(params["additionalProperty"]);
    const known = Object.keys((parentSchema?.["properties"] ?? {}) as object);
    const hint = didYouMean(key, known) || (known.length > 0 ? `; the keys here are ${known.join(", ")}` : "");
    return usage(`${path}: unknown key ${JSON.stringify(key)}${hint}`, path);
  }
  if (keyword === "enum")
    return usage(`${path} must be one of ${(params["allowedValues"] as unknown[]).join(", ")}, not ${shown(data)}`, path);
  return usage(`${path} ${message ?? "is not valid"}`, path);
}

const PARTS: Readonly<Record<string, string>> = { querystring: "query", params: "path", headers: "header" };

function usage(message: string, path: string): EngineError {
  return new EngineError("USAGE", message, { hint: "See schemas/openapi.json.", details: { path } });
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 60);
}

/** typebox keeps marks in symbols, which are no part of the schema. */
function plain(schema: unknown): object {
  return JSON.parse(JSON.stringify(schema)) as object;
}

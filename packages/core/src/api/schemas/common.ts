import { type TSchema, Type } from "typebox";
import { NAME_RULE } from "../../domain/names.ts";

/** An object that refuses what it does not know. */
export function closed<T extends Record<string, TSchema>>(properties: T, options: object = {}) {
  return Type.Object(properties, { additionalProperties: false, ...options });
}

export function nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}

/** A reference to a named schema of `schemas/documents.ts`. */
export function ref(name: string): TSchema {
  return Type.Ref(`${name}#`);
}

export function listOf(name: string): TSchema {
  return closed({ items: Type.Array(ref(name)) });
}

export function pageOf(name: string): TSchema {
  return closed({ items: Type.Array(ref(name)), next: nullable(Type.String({ description: "For `cursor` of the next request." })) });
}

export const Time = Type.String({ description: "ISO 8601 in UTC." });
export const Id = Type.String({ pattern: "^[a-z]{2,5}_[0-9a-z]{1,40}$" });
export const DigestText = Type.String({ pattern: "^sha256:[0-9a-f]{64}$" });
export const ProjectName = Type.String({ pattern: NAME_RULE.source });
/** Text without control characters: a zero byte can be in no name, and the database refuses it. */
export function line(maxLength: number) {
  return Type.String({ minLength: 1, maxLength, pattern: "^[^\\u0000-\\u001f\\u007f]+$" });
}
export const EnvironmentName = line(140);

/** Path parameters. Names may hold a slash, written `%2F`. */
export const IdPath = closed({ id: Id });
export const EnvironmentPath = closed({ project: line(140), environment: EnvironmentName });
export const ServicePath = closed({
  project: line(140),
  environment: EnvironmentName,
  service: line(140),
});

export const DEFAULT_LIMIT = 50;

/** The query of paged lists. */
export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: DEFAULT_LIMIT })),
  cursor: Type.Optional(line(200)),
};

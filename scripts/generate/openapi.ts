import { openApiDocument } from "../../packages/core/src/api/index.ts";
import { type Generator, NOTE } from "./generator.ts";

/** `schemas/openapi.json`: the API's description, made of its routes. OpenAPI has no comments; a field that begins with `x-` stands in for one. */
export const openApi: Generator = async () => {
  const document = { "x-comment": NOTE, ...(await openApiDocument()) };
  return [{ path: "schemas/openapi.json", content: `${JSON.stringify(document, null, 2)}\n` }];
};

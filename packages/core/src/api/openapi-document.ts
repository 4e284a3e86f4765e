import { buildApi } from "./build-api.ts";
import type { ApiDeps } from "./deps.ts";

/** The OpenAPI 3.1 description of the API, made of its routes. Needs no database: no request is answered. */
export async function openApiDocument(): Promise<Readonly<Record<string, unknown>>> {
  const nothing = { settings: { allowedHosts: [], maxSourceBytes: 0 } } as unknown as ApiDeps;
  const api = await buildApi(nothing);
  await api.ready();
  const document = JSON.parse(JSON.stringify(api.swagger())) as Record<string, unknown>;
  await api.close();
  return document;
}

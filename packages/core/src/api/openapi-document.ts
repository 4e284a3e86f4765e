import { pino } from "pino";
import { createMetrics } from "../telemetry/metrics.ts";
import { buildApi } from "./build-api.ts";
import type { ApiDeps } from "./deps.ts";

/** The OpenAPI 3.1 description of the API, made of its routes. Needs no database: no request is answered. */
export async function openApiDocument(): Promise<Readonly<Record<string, unknown>>> {
  const deps = { logger: pino({ level: "silent" }), metrics: createMetrics(), settings: { allowedHosts: [], maxSourceBytes: 0 } };
  const api = await buildApi(deps as unknown as ApiDeps);
  await api.ready();
  const document = JSON.parse(JSON.stringify(api.swagger())) as Record<string, unknown>;
  await api.close();
  return document;
}

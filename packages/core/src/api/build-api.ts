import rateLimit from "@fastify/rate-limit";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { LogController, fastify } from "fastify";
import { randomUUID } from "node:crypto";
import { EngineError } from "../domain/errors.ts";
import { requireToken } from "./auth/authenticate.ts";
import { keepToProject } from "./auth/keep-to-project.ts";
import { checkHost } from "./auth/check-host.ts";
import { deploymentRoutes } from "./deployments/routes.ts";
import type { ApiDeps, RouteDeps } from "./deps.ts";
import { environmentRoutes } from "./environments/routes.ts";
import { errorRoutes } from "./errors/routes.ts";
import { healthRoutes } from "./health/routes.ts";
import { countRequests, metricsRoutes } from "./metrics/routes.ts";
import { createNames } from "./names.ts";
import { describeRoutes, openApiRoutes } from "./openapi.ts";
import { planeRoutes } from "./plane/routes.ts";
import { pluginRoutes } from "./plugins/routes.ts";
import { policyRoutes } from "./policies/routes.ts";
import { sendProblem } from "./problem.ts";
import { NAMED_SCHEMAS } from "./schemas/documents.ts";
import { secretRoutes } from "./secrets/routes.ts";
import { snapshotRoutes } from "./snapshots/routes.ts";
import { createStreams } from "./streams/streams.ts";
import { sweepRoutes } from "./sweep/routes.ts";
import { tokenRoutes } from "./tokens/routes.ts";
import type { Api } from "./types.ts";
import { requestValidator } from "./validation.ts";

/** Names of environments are up to 140 characters long, and three times as many where they are written with percent signs. */
const LONGEST_PARAMETER = 500;

/** Requests that are still open after so long are cut when the server stops, milliseconds. */
const STOP_MS = 10_000;

export interface BuildOptions {
  /** Milliseconds between heartbeats of event streams, and until a reader that takes nothing is given up. */
  readonly streams?: { readonly heartbeatMs?: number; readonly stallMs?: number };
}

/**
 * The control plane's API. It does not listen yet: `listen` it on loopback. `close` tells the readers of streams to come again, lets requests in flight
 * finish, and takes no more.
 */
export async function buildApi(deps: ApiDeps, options: BuildOptions = {}): Promise<Api> {
  const api = newServer(deps);
  const streams = createStreams({ metrics: deps.metrics, ...options.streams });
  api.decorate("streams", streams);
  stopGracefully(api);
  countRequests(api, deps);
  checkHost(api, deps.settings);
  requireToken(api, deps);
  keepToProject(api);
  for (const schema of NAMED_SCHEMAS) api.addSchema(schema);
  await describeRoutes(api);
  await api.register(rateLimit, {
    global: false,
    errorResponseBuilder: () => new EngineError("BUSY", "too many requests of this kind; wait a minute"),
  });
  await api.register(versionOne({ ...deps, names: createNames(deps.ledger) }), { prefix: "/v1" });
  for (const routes of [healthRoutes, metricsRoutes, openApiRoutes]) await api.register((scope) => routes(scope as Api, deps));
  return api;
}

/** Everything that changes with the API's version. */
function versionOne(deps: RouteDeps) {
  const all = [
    snapshotRoutes,
    deploymentRoutes,
    environmentRoutes,
    secretRoutes,
    tokenRoutes,
    pluginRoutes,
    policyRoutes,
    errorRoutes,
    sweepRoutes,
    planeRoutes,
  ] as const;
  return async (api: unknown) => {
    for (const routes of all) await (api as Api).register((scope) => routes(scope as Api, deps));
  };
}

function newServer({ logger }: ApiDeps): Api {
  const api: Api = fastify({
    ...(logger ? { loggerInstance: logger } : {}),
    logController: new LogController({ disableRequestLogging: true }),
    exposeHeadRoutes: false,
    forceCloseConnections: "idle",
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    trustProxy: false,
    routerOptions: { maxParamLength: LONGEST_PARAMETER },
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply),
  }).withTypeProvider<TypeBoxTypeProvider>() as unknown as Api;
  api.setValidatorCompiler(requestValidator(NAMED_SCHEMAS));
  // Answers are made by our own code; tests hold them against their schemas.
  api.setSerializerCompiler(() => (data) => JSON.stringify(data));
  api.setSchemaErrorFormatter((errors) => errors[0] as unknown as Error);
  api.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
  api.setNotFoundHandler((request, reply) =>
    sendProblem(new EngineError("ROUTE_NOT_FOUND", `the API has no ${request.method} ${request.url.split("?")[0]}`), request, reply),
  );
  api.addHook("onSend", async (request, reply) => void reply.header("x-request-id", request.id));
  return api;
}

function stopGracefully(api: Api): void {
  let isStopping = false;
  // A connection that is kept open after its last answer would keep the server from ending.
  api.addHook("onSend", async (_request, reply) => void (isStopping && reply.header("connection", "close")));
  api.addHook("preClose", async () => {
    isStopping = true;
    api.streams.close();
    setTimeout(() => api.server.closeAllConnections(), STOP_MS).unref();
  });
}

import type { RouteDeps } from "../deps.ts";
import { serviceLogRoutes } from "../logs/routes.ts";
import { DEFAULT_LIMIT } from "../schemas/common.ts";
import { type Api, scopeOf } from "../types.ts";
import { findEnvironment } from "./find.ts";
import { ENVIRONMENT_SCHEMAS as schemas } from "./schema.ts";
import { readStats } from "./stats.ts";
import { environmentItem, releaseItems } from "./view.ts";

const BASE = "/projects/:project/environments/:environment";

export async function environmentRoutes(api: Api, deps: RouteDeps): Promise<void> {
  const { ledger, engine } = deps;

  api.get("/environments", { schema: schemas.list }, async (request) => ({
    items: (await ledger.listEnvironments(scopeOf(request))).map(environmentItem),
  }));

  api.get(`${BASE}/status`, { schema: schemas.status }, async (request) => {
    const scope = scopeOf(request);
    await findEnvironment(ledger, scope, request.params);
    return engine.status(scope, request.params);
  });

  api.get(`${BASE}/releases`, { schema: schemas.releases }, async (request) => {
    const scope = scopeOf(request);
    const { id: environment } = await findEnvironment(ledger, scope, request.params);
    const { limit = DEFAULT_LIMIT, cursor = null } = request.query;
    const { items, next } = await ledger.listReleases(scope, { environment, limit, cursor });
    return { items: await releaseItems(deps, scope, items), next };
  });

  api.get(`${BASE}/candidates`, { schema: schemas.candidates }, async (request) => {
    const scope = scopeOf(request);
    await findEnvironment(ledger, scope, request.params);
    return { candidates: await engine.candidates(scope, request.params) };
  });

  api.get(`${BASE}/stats`, { schema: schemas.stats }, async (request) => {
    const scope = scopeOf(request);
    return { items: await readStats(deps, scope, await findEnvironment(ledger, scope, request.params)) };
  });

  serviceLogRoutes(api, deps, BASE);
}

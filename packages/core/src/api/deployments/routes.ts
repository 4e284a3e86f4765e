import type { FastifyRequest } from "fastify";
import { EngineError } from "../../domain/errors.ts";
import type { DeploymentRecord, SnapshotEntry } from "../../ports/index.ts";
import type { RouteDeps } from "../deps.ts";
import { environmentFilter } from "../environments/find.ts";
import { DEFAULT_LIMIT } from "../schemas/common.ts";
import { ENTRIES_LIMIT } from "../snapshots/routes.ts";
import { lastEventId } from "../streams/streams.ts";
import { type Api, scopeOf } from "../types.ts";
import { createDeployment } from "./create.ts";
import { deploymentEvents } from "./event-stream.ts";
import { deploymentLog } from "./log-stream.ts";
import { deploymentResult, placed } from "./result.ts";
import { DEPLOYMENT_SCHEMAS as schemas } from "./schema.ts";
import { deploymentDetail, deploymentItem, deploymentItems } from "./view.ts";
import { readWish } from "./wish.ts";

const BODY_LIMIT = 8 * 2 ** 20;

export async function deploymentRoutes(api: Api, deps: RouteDeps): Promise<void> {
  writeRoutes(api, deps);
  readRoutes(api, deps);
  streamRoutes(api, deps);
}

function writeRoutes(api: Api, deps: RouteDeps): void {
  api.post("/plan", { bodyLimit: ENTRIES_LIMIT, schema: schemas.plan }, async ({ body, caller }) => {
    const entries = body.entries as readonly SnapshotEntry[];
    const { manifest, origin, environment } = readWish(deps, body, entries);
    const { changes, findings, allow } = await deps.engine.plan(scopeOf({ caller }), { environment, manifest, entries, origin });
    return { changes, findings: findings.map((finding) => placed(finding, origin)), allow };
  });

  api.post("/deployments", { bodyLimit: BODY_LIMIT, schema: schemas.create }, async (request, reply) => {
    const scope = scopeOf(request);
    const key = request.headers["idempotency-key"] ?? null;
    const { deployment, replayed } = await createDeployment(deps, scope, { body: request.body, key });
    if (replayed) reply.header("idempotency-replayed", "true");
    return reply
      .code(202)
      .header("location", `/v1/deployments/${deployment.id}`)
      .send(await deploymentItem(deps, scope, deployment));
  });

  api.post("/deployments/:id/cancel", { schema: schemas.cancel }, async (request, reply) => {
    const { id } = await find(deps, request);
    const cancelled = await deps.ledger.requestCancel(scopeOf(request), id);
    return reply.code(202).send(await deploymentItem(deps, scopeOf(request), cancelled));
  });
}

function readRoutes(api: Api, deps: RouteDeps): void {
  api.get("/deployments", { schema: schemas.list }, async ({ query, caller }) => {
    const scope = scopeOf({ caller });
    const { limit = DEFAULT_LIMIT, cursor = null } = query;
    const filter = await environmentFilter(deps.ledger, scope, query);
    const { items, next } = await deps.ledger.listDeployments(scope, { limit, cursor, ...filter });
    return { items: await deploymentItems(deps, scope, items), next };
  });

  api.get("/deployments/:id", { schema: schemas.get }, async (request) =>
    deploymentDetail(deps, scopeOf(request), await find(deps, request)),
  );

  api.get("/deployments/:id/result", { schema: schemas.result }, async (request) =>
    deploymentResult(deps, scopeOf(request), await find(deps, request)),
  );
}

function streamRoutes(api: Api, deps: RouteDeps): void {
  api.get("/deployments/:id/events", { schema: schemas.events }, async (request, reply) => {
    const { id: deployment } = await find(deps, request);
    const input = { deployment, after: numericId(request) ?? 0, follow: request.query.follow ?? false };
    await api.streams.send(request, reply, (signal) => deploymentEvents(deps.ledger, scopeOf(request), { ...input, signal }));
  });

  api.get("/deployments/:id/logs", { schema: schemas.logs }, async (request, reply) => {
    const { id: deployment } = await find(deps, request);
    const { follow = false, tail = null } = request.query;
    const input = { deployment, after: numericId(request), tail, follow };
    await api.streams.send(request, reply, (signal) => deploymentLog(deps, scopeOf(request), { ...input, signal }));
  });
}

type WithId = Pick<FastifyRequest, "caller"> & { readonly params: { readonly id: string } };

async function find({ ledger }: RouteDeps, request: WithId): Promise<DeploymentRecord> {
  const deployment = await ledger.deployment(scopeOf(request), request.params.id);
  if (deployment) return deployment;
  throw new EngineError("DEPLOYMENT_NOT_FOUND", `there is no deployment ${request.params.id}`);
}

/** Where a numbered stream is resumed; null for the start. */
function numericId(request: FastifyRequest): number | null {
  const id = lastEventId(request);
  if (id === null) return null;
  const number = Number(id);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new EngineError("USAGE", `Last-Event-ID ${JSON.stringify(id.slice(0, 40))} is not one of this stream`);
}

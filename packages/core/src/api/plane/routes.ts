import { toEngineError } from "../../domain/errors.ts";
import type { ApiDeps } from "../deps.ts";
import { incidentsOf } from "../incidents.ts";
import { answers, emptyAnswer } from "../schemas/answers.ts";
import { closed, ref } from "../schemas/common.ts";
import { type Api, scopeOf } from "../types.ts";

const tags = ["plane"];

export async function planeRoutes(api: Api, deps: ApiDeps): Promise<void> {
  const { plane, clock } = deps;
  api.get(
    "/plane",
    {
      schema: {
        operationId: "getPlane",
        summary: "The plane's processes, database, queue, and the workers that died",
        tags,
        response: answers(200, ref("Plane")),
      },
    },
    async (request) => {
      const [processes, database, queue, incidents] = await Promise.all([
        plane.processes(),
        databaseHealth(deps),
        queueHealth(deps),
        incidentsOf(deps, scopeOf(request), "plane").catch(() => []),
      ]);
      return { processes, database, queue, incidents, now: new Date(clock.now()).toISOString() };
    },
  );

  api.post(
    "/plane/up",
    {
      schema: {
        operationId: "startPlane",
        summary: "Starts the plugins' daemons and what was live",
        tags,
        body: closed({}),
        response: emptyAnswer(204, "They run."),
      },
    },
    async (_request, reply) => {
      await plane.up();
      return reply.code(204).send();
    },
  );

  api.post(
    "/plane/down",
    {
      schema: {
        operationId: "stopPlane",
        summary: "Stops applications and daemons; what was live stays recorded",
        tags,
        body: closed({}),
        response: emptyAnswer(204, "They are stopped."),
      },
    },
    async (_request, reply) => {
      await plane.down();
      return reply.code(204).send();
    },
  );
}

async function databaseHealth({ ledger }: ApiDeps) {
  return ledger.ping().then(
    () => ({ ok: true }),
    (error: unknown) => ({ ok: false, error: toEngineError(error).message }),
  );
}

async function queueHealth({ queue }: ApiDeps) {
  const kind = queue.backend;
  return queue.depth().then(
    (depth) => ({ ok: true, kind, depth }),
    (error: unknown) => ({ ok: false, kind, error: toEngineError(error).message }),
  );
}

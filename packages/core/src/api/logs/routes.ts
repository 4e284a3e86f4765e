import { Type } from "typebox";
import { EngineError } from "../../domain/errors.ts";
import { didYouMean } from "../../domain/suggest.ts";
import type { RevisionRecord } from "../../ports/index.ts";
import type { ApiDeps } from "../deps.ts";
import { findEnvironment } from "../environments/find.ts";
import { type Place, placeOf } from "../identity.ts";
import { streamAnswers } from "../schemas/answers.ts";
import { ServicePath, closed } from "../schemas/common.ts";
import { lastEventId } from "../streams/streams.ts";
import { type Api, scopeOf } from "../types.ts";
import { findSpeaker, serviceLog } from "./service-log.ts";

const Query = closed({
  follow: Type.Optional(Type.Boolean({ default: false, description: "Go on with the lines that come." })),
  tail: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000, description: "Begin with so many of the last lines." })),
});

export function serviceLogRoutes(api: Api, deps: ApiDeps, base: string): void {
  api.get(
    `${base}/services/:service/logs`,
    {
      schema: {
        operationId: "readServiceLog",
        summary: "What a service writes to its output; resumes with Last-Event-ID",
        tags: ["environments"],
        params: ServicePath,
        querystring: Query,
        response: streamAnswers("Lines."),
      },
    },
    async (request, reply) => {
      const scope = scopeOf(request);
      const environment = await findEnvironment(deps.ledger, scope, request.params);
      const place = await placeOf(deps.ledger, scope, environment);
      const { service } = request.params;
      await checkReadable(deps, place, service);
      const { follow = false, tail = null } = request.query;
      const after = lastEventId(request);
      await api.streams.send(request, reply, (signal) => serviceLog(deps, { place, service, follow, tail, after, signal }));
    },
  );
}

/** Refuses before the stream begins: afterwards there is no status to answer with. */
async function checkReadable(deps: ApiDeps, place: Place, service: string): Promise<void> {
  const revision = await findSpeaker(deps, place, service);
  if (!revision) throw await notFound(deps, place, service);
  if (deps.plugins.supports(revision.plugin, "runtime.logs")) return;
  throw new EngineError("UNSUPPORTED", `the runtime ${revision.plugin} keeps no logs`, { plugin: pluginName(revision) });
}

async function notFound({ ledger }: ApiDeps, place: Place, service: string): Promise<EngineError> {
  const revisions = await ledger.listRevisions(place.scope, { environment: place.environment.id });
  const names = new Set(revisions.map((revision) => revision.service));
  return new EngineError(
    "SERVICE_NOT_FOUND",
    `${place.environment.projectName} ${place.environment.name} runs no service "${service}"${didYouMean(service, names)}`,
  );
}

function pluginName({ plugin, pluginVersion }: RevisionRecord): string {
  return `${plugin}@${pluginVersion}`;
}

import type { FastifyRequest } from "fastify";
import { EngineError } from "../../domain/errors.ts";
import type { Api } from "../types.ts";

/** Plain characters, and a slash within a name as `%2F`. What else a URL can be spelled with has no use here but to mean another path. */
const PLAIN = /^(?:[A-Za-z0-9._~/-]|%2F)*$/i;
const DOTS = /(^|\/|%2F)\.{1,2}(\/|%2F|$)/i;

/**
 * Keeps a token that is bound to a project below that project's own path. The raw text of the request is judged, before any router, decoder or proxy made something
 * of it: a path that is not spelled exactly so is refused, whether or not it leads anywhere.
 */
export function keepToProject(api: Api): void {
  api.addHook("onRequest", async (request) => {
    const project = request.caller?.project ?? null;
    if (project === null || isOwn(request, project)) return;
    throw new EngineError("SCOPE_FORBIDDEN", `this token is for the project ${project}, and the request is for something else`);
  });
}

function isOwn({ raw, is404 }: FastifyRequest, project: string): boolean {
  const path = (raw.url ?? "").split("?", 1)[0]!;
  return !is404 && path.startsWith(`/v1/projects/${project}/`) && PLAIN.test(path) && !DOTS.test(path) && !path.includes("//");
}

import type { FastifyRequest } from "fastify";
import { EngineError } from "../../domain/errors.ts";
import type { ApiDeps } from "../deps.ts";
import { isTokenValue, tokenHash } from "../tokens/token-value.ts";
import type { Api } from "../types.ts";

/** Lets a request pass only with a token that is valid, but for routes that are open. What is not a route needs a token too. */
export function requireToken(api: Api, { ledger }: Pick<ApiDeps, "ledger">): void {
  api.decorateRequest("caller", null);
  api.addHook("onRequest", async (request) => {
    if (request.routeOptions.config.open) return;
    request.caller = await callerOf(request, ledger);
  });
}

async function callerOf(request: FastifyRequest, ledger: ApiDeps["ledger"]): Promise<NonNullable<FastifyRequest["caller"]>> {
  const { authorization } = request.headers;
  if (authorization === undefined)
    throw new EngineError("TOKEN_MISSING", "the request has no token; send it as `Authorization: Bearer hlx_...`");
  const token = /^bearer +([^\s]+)$/i.exec(authorization)?.[1];
  if (token === undefined || !isTokenValue(token))
    throw new EngineError("TOKEN_INVALID", "the token is not one: it is cut off or mistyped");
  const caller = await ledger.authenticate(tokenHash(token));
  if (caller === null) throw new EngineError("TOKEN_INVALID", "the token is not known here, or was revoked");
  return caller;
}

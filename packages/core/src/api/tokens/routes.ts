import { Type } from "typebox";
import { EngineError } from "../../domain/errors.ts";
import type { TokenRecord } from "../../ports/index.ts";
import type { ApiDeps } from "../deps.ts";
import type { TokenItem } from "../documents.ts";
import { answers } from "../schemas/answers.ts";
import { ProjectName, closed, listOf, ref } from "../schemas/common.ts";
import { type Api, scopeOf } from "../types.ts";
import { newTokenValue, tokenHash } from "./token-value.ts";

const tags = ["tokens"];
const Name = Type.String({ minLength: 1, maxLength: 100, pattern: "^[\\w][\\w .@-]*$" });
/** Making tokens is rare; a script that makes many is a mistake. */
const RATE = { max: 30, timeWindow: 60_000 };

export async function tokenRoutes(api: Api, { ledger }: ApiDeps): Promise<void> {
  api.get(
    "/tokens",
    {
      schema: {
        operationId: "listTokens",
        summary: "Tokens, revoked ones too; never their values",
        tags,
        response: answers(200, listOf("Token")),
      },
    },
    async (request) => ({ items: (await ledger.listTokens(scopeOf(request))).map(tokenItem) }),
  );

  api.post(
    "/tokens",
    {
      config: { rateLimit: RATE },
      schema: {
        operationId: "createToken",
        summary: "Makes a token; its value is shown once",
        tags,
        body: closed({ name: Name, project: Type.Optional(ProjectName) }),
        response: answers(201, ref("NewToken")),
      },
    },
    async (request, reply) => {
      const token = newTokenValue();
      const record = await ledger.createToken(scopeOf(request), { ...request.body, hash: tokenHash(token) }).catch(nameTaken);
      return reply
        .code(201)
        .header("cache-control", "no-store")
        .send({ ...tokenItem(record), token });
    },
  );

  api.delete(
    "/tokens/:name",
    {
      schema: {
        operationId: "revokeToken",
        summary: "Makes a token useless, by name or id",
        tags,
        params: closed({ name: Name }),
        response: answers(200, ref("Token")),
      },
    },
    async (request) => {
      const revoked = await ledger.revokeToken(scopeOf(request), request.params.name);
      if (revoked) return tokenItem(revoked);
      throw new EngineError("TOKEN_NOT_FOUND", `there is no live token "${request.params.name}"`);
    },
  );

  api.get(
    "/principal",
    { schema: { operationId: "getPrincipal", summary: "Who the token speaks for", tags, response: answers(200, ref("Principal")) } },
    async ({ caller }) => ({ ...caller!.principal, organization: caller!.scope.organization }),
  );
}

function tokenItem({ id, name, project, createdAt, lastUsedAt, revokedAt }: TokenRecord): TokenItem {
  return { id, name, project, createdAt, lastUsedAt, revokedAt };
}

/** A name that is taken is the caller's mistake, and no conflict that may pass. */
function nameTaken(error: unknown): never {
  if (!(error instanceof EngineError) || error.code !== "CONFLICT") throw error;
  throw new EngineError("USAGE", error.message, { hint: error.options.hint, cause: error });
}

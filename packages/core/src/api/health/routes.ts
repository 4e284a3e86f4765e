import { Type } from "typebox";
import type { ApiDeps } from "../deps.ts";
import { answers } from "../schemas/answers.ts";
import { closed } from "../schemas/common.ts";
import type { Api } from "../types.ts";

const Health = closed({ ok: Type.Literal(true) });
const tags = ["health"];

/** For supervisors and load balancers: they have no token, and learn nothing here. */
export async function healthRoutes(api: Api, { ledger }: ApiDeps): Promise<void> {
  const config = { open: true };
  api.get(
    "/health/live",
    {
      config,
      schema: { operationId: "isLive", summary: "Whether the process answers", tags, security: [], response: answers(200, Health) },
    },
    async () => ({ ok: true }) as const,
  );
  api.get(
    "/health/ready",
    {
      config,
      schema: {
        operationId: "isReady",
        summary: "Whether requests can be served: the database answers",
        tags,
        security: [],
        response: answers(200, Health),
      },
    },
    async () => {
      await ledger.ping();
      return { ok: true } as const;
    },
  );
}

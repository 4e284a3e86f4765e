import type { ApiDeps } from "../deps.ts";
import { answers } from "../schemas/answers.ts";
import { ref } from "../schemas/common.ts";
import { type Api, scopeOf } from "../types.ts";

export async function sweepRoutes(api: Api, { engine }: ApiDeps): Promise<void> {
  api.get(
    "/sweep",
    {
      schema: {
        operationId: "sweep",
        summary: "What differs between the ledger and the world; changes nothing",
        tags: ["plane"],
        response: answers(200, ref("Sweep")),
      },
    },
    (request) => engine.sweep(scopeOf(request)),
  );
}

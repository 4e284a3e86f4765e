import { Type } from "typebox";
import type { ApiDeps } from "../deps.ts";
import { problems } from "../schemas/answers.ts";
import type { Api } from "../types.ts";

export async function metricsRoutes(api: Api, { metrics }: ApiDeps): Promise<void> {
  api.get(
    "/metrics",
    {
      schema: {
        operationId: "getMetrics",
        summary: "Figures in the Prometheus format",
        tags: ["health"],
        response: { 200: { description: "Figures.", content: { "text/plain": { schema: Type.String() } } }, ...problems() },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  );
}

/** Counts answers by the pattern of their route: paths hold ids and names. */
export function countRequests(api: Api, { metrics }: Pick<ApiDeps, "metrics">): void {
  api.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "unknown";
    metrics.request({ method: request.method, route, status: reply.statusCode, seconds: reply.elapsedTime / 1000 });
  });
}

import swagger from "@fastify/swagger";
import { readFileSync } from "node:fs";
import type { ApiDeps } from "./deps.ts";
import { Type } from "typebox";
import { answers } from "./schemas/answers.ts";
import type { Api } from "./types.ts";

const { version: VERSION } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
const DESCRIPTION = `The control plane of one HelixStack. Errors are problem documents (RFC 9457) with the codes that the CLI prints. Lists are paged with
\`limit\` and \`cursor\`. Streams are server-sent events, or JSON documents a line with \`Accept: application/x-ndjson\`; they resume after \`Last-Event-ID\`.`;

/** Collects the description of every route. To be registered before the first one. */
export async function describeRoutes(api: Api): Promise<void> {
  await api.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "HelixStack",
        description: DESCRIPTION.replaceAll("\n", " "),
        version: VERSION,
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      components: { securitySchemes: { token: { type: "http", scheme: "bearer", bearerFormat: "hlx_..." } } },
      security: [{ token: [] }],
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => (typeof json["$id"] === "string" ? json["$id"] : `def-${i}`) },
  });
}

/** The API's own description, for its clients. */
export async function openApiRoutes(api: Api, _deps: ApiDeps): Promise<void> {
  api.get(
    "/openapi.json",
    { schema: { operationId: "getOpenApi", summary: "This description", tags: ["health"], response: answers(200, Type.Unknown()) } },
    async () => api.swagger(),
  );
}

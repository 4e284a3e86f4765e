import type { PlaneName } from "@helixstack/sdk";
import type { ApiDeps } from "../deps.ts";
import { answers } from "../schemas/answers.ts";
import { listOf } from "../schemas/common.ts";
import type { Api } from "../types.ts";

export async function pluginRoutes(api: Api, { plugins }: ApiDeps): Promise<void> {
  api.get(
    "/plugins",
    { schema: { operationId: "listPlugins", summary: "Installed plugins", tags: ["plugins"], response: answers(200, listOf("Plugin")) } },
    async () => ({
      items: plugins.list().map(({ manifest: { name, version, description, planes, capabilities }, digest }) => ({
        name,
        version,
        description,
        planes: Object.keys(planes) as PlaneName[],
        capabilities,
        digest,
      })),
    }),
  );
}

import type { EnvironmentRecord, ReleaseRecord, Scope } from "../../ports/index.ts";
import type { RouteDeps } from "../deps.ts";
import type { EnvironmentItem } from "../documents.ts";

export function environmentItem({ id, projectName, name, liveRelease, activeDeployment, createdAt }: EnvironmentRecord): EnvironmentItem {
  return { id, project: projectName, name, liveRelease, activeDeployment, createdAt };
}

/** Releases as the API shows them; names of secrets and the manifest stay with the deployment. */
export async function releaseItems({ names }: Pick<RouteDeps, "names">, scope: Scope, records: readonly ReleaseRecord[]) {
  const ids = [...new Set(records.map(({ principal }) => principal))];
  const principals = new Map(await Promise.all(ids.map(async (id) => [id, (await names.principal(scope, id)) ?? ""] as const)));
  return records.map((record) => ({
    id: record.id,
    number: record.number,
    deployment: record.deployment,
    snapshot: record.snapshot,
    configHash: record.configHash,
    plugins: record.plugins,
    policyBundle: record.policyBundle,
    principal: { id: record.principal, name: principals.get(record.principal)! },
    services: Object.entries(record.services).map(
      ([
        name,
        {
          runtime,
          delivery,
          revision,
          artifact: { kind, digest },
        },
      ]) => ({
        name,
        runtime,
        delivery,
        revision,
        artifact: { kind, digest },
      }),
    ),
    createdAt: record.createdAt,
  }));
}

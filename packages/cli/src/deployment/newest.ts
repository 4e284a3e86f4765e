import { type DeploymentItem, EngineError } from "@helixstack/core/client";
import type { Cli } from "../cli.ts";
import type { EnvironmentOptions } from "../options.ts";
import type { Session } from "../plane/session.ts";
import { projectName } from "../project/manifest-file.ts";

/** The deployment that was asked for last in an environment. Rejects with `DEPLOYMENT_NOT_FOUND` where there was none. */
export async function newestDeployment(
  cli: Cli,
  { api }: Session,
  options: EnvironmentOptions & { readonly project?: string },
): Promise<DeploymentItem> {
  const project = projectName({ ...options, cwd: cli.cwd });
  const { items } = await api.deployments({ project, environment: options.environment, limit: 1 });
  if (items[0]) return items[0];
  throw new EngineError("DEPLOYMENT_NOT_FOUND", `Nothing was deployed to ${project} ${options.environment} yet.`);
}

import { EngineError } from "../../domain/errors.ts";
import { didYouMean } from "../../domain/suggest.ts";
import type { EnvironmentRecord, Ledger, Scope } from "../../ports/index.ts";
import type { EnvironmentNames } from "../documents.ts";

/** The environment of two names. Rejects with `PROJECT_NOT_FOUND` or `ENVIRONMENT_NOT_FOUND`. */
export async function findEnvironment(
  ledger: Ledger,
  scope: Scope,
  { project, environment }: EnvironmentNames,
): Promise<EnvironmentRecord> {
  const found = await ledger.findEnvironment(scope, { project, environment });
  if (found) return found;
  const siblings = await ledger.listEnvironments(scope, { project });
  if (siblings.length > 0) {
    const names = siblings.map(({ name }) => name);
    throw new EngineError("ENVIRONMENT_NOT_FOUND", `${project} has no environment "${environment}"${didYouMean(environment, names)}`);
  }
  const projects = (await ledger.listProjects(scope)).map(({ name }) => name);
  throw new EngineError("PROJECT_NOT_FOUND", `there is no project "${project}"${didYouMean(project, projects)}`);
}

/** The filter of a list by the names that stand in its query. */
export async function environmentFilter(
  ledger: Ledger,
  scope: Scope,
  { project, environment }: Partial<EnvironmentNames>,
): Promise<{ readonly project?: string; readonly environment?: string }> {
  if (environment === undefined) return project === undefined ? {} : { project };
  if (project === undefined) throw new EngineError("USAGE", "the environment's project is missing: add `project`");
  const found = await ledger.findEnvironment(scope, { project, environment });
  // What was never deployed to has no deployments; that is an answer, not an error.
  return { environment: found?.id ?? "none" };
}

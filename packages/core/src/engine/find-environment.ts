import { EngineError } from "../domain/errors.ts";
import type { EnvironmentRecord, Scope } from "../ports/index.ts";
import type { EngineDeps } from "./deps.ts";
import { type Place, findPlace } from "./place.ts";
import type { EnvironmentNames } from "./views.ts";

/** The environment of these names. Rejects with `PROJECT_NOT_FOUND` or `ENVIRONMENT_NOT_FOUND`, saying which there are. */
export async function findEnvironment(
  deps: EngineDeps,
  scope: Scope,
  names: EnvironmentNames,
): Promise<{ readonly place: Place; readonly environment: EnvironmentRecord }> {
  const { place, environment } = await findPlace(deps, scope, names);
  if (environment) return { place, environment };
  const others = await deps.ledger.listEnvironments(scope, { project: names.project });
  if (others.length === 0) throw new EngineError("PROJECT_NOT_FOUND", `there is no project ${names.project}`);
  const known = others.map(({ name }) => name).join(", ");
  throw new EngineError("ENVIRONMENT_NOT_FOUND", `project ${names.project} has no environment ${names.environment}; it has ${known}`);
}

import type { Identity } from "@helixstack/sdk";
import type { EnvironmentRecord } from "../ports/index.ts";
import type { EngineDeps } from "./deps.ts";
import type { Scope } from "../ports/scope.ts";

/** Where something happens: the ids and names that identities are made of. */
export interface Place {
  readonly scope: Scope;
  readonly installation: string;
  readonly project: { readonly id: string; readonly name: string };
  readonly environment: { readonly id: string; readonly name: string };
}

/** Stands for an id that a plan for a new environment does not have yet. */
const NONE = "none";

export function placeOf(scope: Scope, { installation, environment }: { installation: string; environment: EnvironmentRecord }): Place {
  return {
    scope,
    installation,
    project: { id: environment.project, name: environment.projectName },
    environment: { id: environment.id, name: environment.name },
  };
}

/** The place of an environment that may not be there yet. Writes nothing. */
export async function findPlace(
  { ledger }: Pick<EngineDeps, "ledger">,
  scope: Scope,
  names: { readonly project: string; readonly environment: string },
): Promise<{ readonly place: Place; readonly environment: EnvironmentRecord | null }> {
  const [{ id: installation }, environment] = await Promise.all([ledger.installation(), ledger.findEnvironment(scope, names)]);
  if (environment) return { place: placeOf(scope, { installation, environment }), environment };
  const place = { scope, installation, project: { id: NONE, name: names.project }, environment: { id: NONE, name: names.environment } };
  return { place, environment: null };
}

/** Whose thing a call is about; a unit without revisions is its own revision. */
export function identityOf(
  { scope, installation, project, environment }: Place,
  { service = NONE, unit = NONE, revision = unit }: { service?: string; unit?: string; revision?: string },
): Identity {
  return {
    installation,
    organization: scope.organization,
    project: project.id,
    environment: environment.id,
    unit,
    revision,
    names: { project: project.name, environment: environment.name, service },
  };
}

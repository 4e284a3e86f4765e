import type { Identity } from "@helixstack/sdk";
import type { EnvironmentRecord, Ledger, Scope } from "../ports/index.ts";

/** Where a question to a plugin is about: an environment of this installation. */
export interface Place {
  readonly scope: Scope;
  readonly installation: string;
  readonly environment: EnvironmentRecord;
}

export async function placeOf(ledger: Pick<Ledger, "installation">, scope: Scope, environment: EnvironmentRecord): Promise<Place> {
  return { scope, installation: (await ledger.installation()).id, environment };
}

/** Whose thing it is; a unit without revisions is its own revision. */
export function identityOf(
  { scope, installation, environment }: Place,
  { service = "none", unit, revision = unit }: { readonly service?: string; readonly unit: string; readonly revision?: string },
): Identity {
  return {
    installation,
    organization: scope.organization,
    project: environment.project,
    environment: environment.id,
    unit,
    revision,
    names: { project: environment.projectName, environment: environment.name, service },
  };
}

import { toEngineError } from "../domain/errors.ts";
import type { EnvironmentRecord, Scope } from "../ports/index.ts";
import type { EngineDeps } from "./deps.ts";
import { driftOf, lookAtRevisions, lookAtTables } from "./look.ts";
import { placeOf } from "./place.ts";

/**
 * Looks at everything that should be live and asks for a repair where it is not as it should be. For the start of a plane; answers with the
 * environments that are being repaired.
 */
export async function recover(deps: EngineDeps, scope: Scope): Promise<readonly string[]> {
  const [{ id: installation }, environments] = await Promise.all([deps.ledger.installation(), deps.ledger.listEnvironments(scope)]);
  const idle = environments.filter(({ liveRelease, activeDeployment }) => liveRelease !== null && activeDeployment === null);
  const repaired = await Promise.all(
    idle.map(async (environment) => {
      const isWell = await isAsItShould(deps, { scope, installation, environment });
      return !isWell && (await deps.ledger.requestRepair(scope, environment.id)) ? [environment.id] : [];
    }),
  );
  return repaired.flat();
}

async function isAsItShould(
  deps: EngineDeps,
  { scope, installation, environment }: { scope: Scope; installation: string; environment: EnvironmentRecord },
): Promise<boolean> {
  const place = placeOf(scope, { installation, environment });
  const [revisions, tables] = await Promise.all([
    deps.ledger.listRevisions(scope, { environment: environment.id, states: ["serving"] }),
    deps.ledger.routeTables(scope, { environment: environment.id }),
  ]);
  try {
    const [sights, served] = await Promise.all([lookAtRevisions(deps, place, revisions), lookAtTables(deps, place, tables)]);
    const isServed = tables.every(({ plugin, table }) => table === null || served.has(plugin));
    return isServed && revisions.every((revision) => driftOf(revision, sights.get(revision.id)!) === null);
  } catch (thrown) {
    const { code, message } = toEngineError(thrown);
    deps.logger.warn("an environment cannot be looked at; it is repaired to be sure", {
      environment: environment.id,
      code,
      error: message,
    });
    return false;
  }
}

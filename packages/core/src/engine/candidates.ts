import type { ServiceChange } from "../domain/plan.ts";
import { type LiveState, type WantedService, planDeployment } from "../domain/planner.ts";
import type { ReleaseRecord, Scope } from "../ports/index.ts";
import { isArtifactThere } from "./artifacts.ts";
import type { EngineDeps } from "./deps.ts";
import { findEnvironment } from "./find-environment.ts";
import type { Place } from "./place.ts";
import type { Candidate, EnvironmentNames } from "./views.ts";

/** As many as anybody reads. */
const SHOWN = 20;

/** Releases that a rollback can go to, newest first, each with what will differ from what is live. */
export async function candidates(deps: EngineDeps, scope: Scope, names: EnvironmentNames): Promise<readonly Candidate[]> {
  const { ledger } = deps;
  const { place, environment } = await findEnvironment(deps, scope, names);
  const [{ items }, warm] = await Promise.all([
    ledger.listReleases(scope, { environment: environment.id, limit: SHOWN + 1 }),
    ledger.listRevisions(scope, { environment: environment.id, states: ["warm", "serving"] }),
  ]);
  const live = environment.liveRelease === null ? null : await ledger.release(scope, environment.liveRelease);
  const isWarm = ({ id, services }: ReleaseRecord) =>
    Object.entries(services).every(([service, { revision }]) =>
      warm.some((one) => one.service === service && (one.id === revision || one.release === id)),
    );
  const former = items.filter(({ id }) => id !== live?.id).slice(0, SHOWN);
  const canReturn = await Promise.all(former.map(async (release) => isWarm(release) || canBeMade(deps, place, release)));
  return Promise.all(
    former
      .filter((_, i) => canReturn[i])
      .map(async (release) => ({
        release: release.id,
        number: release.number,
        createdAt: release.createdAt,
        message: (await ledger.deployment(scope, release.deployment))?.message ?? null,
        warm: isWarm(release),
        changes: differences(live, release),
      })),
  );
}

/** A destroy takes artifacts along. Where a builder cannot be asked about its own, the rollback will say. */
async function canBeMade(deps: EngineDeps, place: Place, { services }: ReleaseRecord): Promise<boolean> {
  const there = Object.values(services).map(({ artifact, build }) =>
    isArtifactThere(deps, place, { artifact, builder: build.plugin }).catch(() => true),
  );
  return !(await Promise.all(there)).includes(false);
}

/** What a rollback changes by itself; how things are found in the world is not looked at. */
function differences(live: ReleaseRecord | null, target: ReleaseRecord): readonly ServiceChange[] {
  const wanted = Object.entries(target.services).map(([name, released]): [string, WantedService] => [
    name,
    { ...released, isRouted: true, reuse: null },
  ]);
  return planDeployment({ manifest: target.manifest, wanted: Object.fromEntries(wanted), live: live && asItWas(live), runsTasks: false })
    .changes;
}

function asItWas({ manifest, services }: ReleaseRecord): LiveState {
  const entries = Object.entries(services).map(([name, released]) => [name, { ...released, drift: null, isReached: true }] as const);
  return { manifest, services: Object.fromEntries(entries) };
}

import type { ObservedRevision, ServiceAddress } from "@helixstack/sdk";
import type { RevisionRecord, Scope } from "../ports/index.ts";
import { readPlugin } from "./call.ts";
import type { EngineDeps } from "./deps.ts";
import { findEnvironment } from "./find-environment.ts";
import type { Place } from "./place.ts";
import { askRevision } from "./revisions.ts";
import type { EnvironmentNames, EnvironmentStatus, RevisionStatus, ServiceStatus } from "./views.ts";

/** A provider that says nothing for so long does not hold up the answer. */
const OBSERVE_MS = 3_000;
const SHOWN = ["starting", "serving", "draining", "warm"] as const satisfies readonly RevisionStatus["state"][];

/** What is live and how it is, as observed just now. */
export async function status(deps: EngineDeps, scope: Scope, names: EnvironmentNames): Promise<EnvironmentStatus> {
  const { ledger } = deps;
  const { place, environment } = await findEnvironment(deps, scope, names);
  const { id, liveRelease, activeDeployment } = environment;
  const [release, active, revisions, tables] = await Promise.all([
    liveRelease ? ledger.release(scope, liveRelease) : null,
    activeDeployment ? ledger.deployment(scope, activeDeployment) : null,
    ledger.listRevisions(scope, { environment: id, states: SHOWN }),
    ledger.routeTables(scope, { environment: id }),
  ]);
  const addresses = tables.flatMap((table) => table.addresses);
  const services = Object.entries(release?.services ?? {}).map(async ([name, { runtime, artifact }]): Promise<ServiceStatus> => {
    const own = revisions.filter(({ service }) => service === name);
    const address = addresses.find(({ service }) => service === name);
    return {
      name,
      environment: environment.name,
      ...whereOf(address),
      runtime,
      artifact: { kind: artifact.kind, digest: artifact.digest },
      status: await healthOf(
        deps,
        place,
        own.find(({ state }) => state === "serving"),
      ),
      revisions: own.map(({ id: revision, release: of, state }) => ({
        id: revision,
        release: of,
        state: state as RevisionStatus["state"],
      })),
    };
  });
  return {
    project: environment.projectName,
    environment: environment.name,
    release: release && { id: release.id },
    deployment: active && { id: active.id, status: active.state },
    services: await Promise.all(services),
  };
}

function whereOf(address: ServiceAddress | undefined): Pick<ServiceStatus, "url" | "address"> {
  return { url: address?.url ?? null, address: address?.address ?? null };
}

async function healthOf(deps: EngineDeps, place: Place, revision: RevisionRecord | undefined): Promise<ServiceStatus["status"]> {
  if (!revision) return "down";
  const signal = AbortSignal.timeout(OBSERVE_MS);
  try {
    const observed = await readPlugin<ObservedRevision | null>(deps, place, {
      ...askRevision(place, revision, { verb: "observe" }),
      signal,
    });
    if (observed?.phase === "running") return "live";
    return observed?.phase === "degraded" ? "degraded" : "down";
  } catch (error) {
    deps.logger.warn("a revision cannot be observed", { revision: revision.id, error: String(error) });
    return "degraded";
  }
}

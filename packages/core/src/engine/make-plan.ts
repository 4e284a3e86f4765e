import { EngineError } from "../domain/errors.ts";
import { destroySteps } from "../domain/plan-steps.ts";
import type { DeploymentPlan, ServiceChange } from "../domain/plan.ts";
import { type WantedService, planDeployment } from "../domain/planner.ts";
import { sourceDigest } from "../domain/source-digest.ts";
import type { Manifest } from "../domain/manifest.ts";
import type { ReleaseRecord, RevisionRecord } from "../ports/index.ts";
import { isArtifactThere } from "./artifacts.ts";
import type { EngineDeps } from "./deps.ts";
import { checkManifest, gatherWanted, routes } from "./gather.ts";
import { lookAtLive } from "./look.ts";
import type { Place } from "./place.ts";
import { type Run, manifestOf } from "./run.ts";

/** The plan of what was asked for. Reads and observes; writes nothing. */
export function makePlan(run: Run): Promise<DeploymentPlan> {
  return PLANS[run.deployment.request.kind](run);
}

/** The plan of a deploy; `sources` are the digests of the services' sources. */
export async function planDeploy(
  deps: EngineDeps,
  place: Place,
  { manifest, sources, live }: { manifest: Manifest; sources: Readonly<Record<string, string>>; live: ReleaseRecord | null },
): Promise<DeploymentPlan> {
  await checkManifest(deps, place, manifest);
  const [wanted, state] = await Promise.all([
    gatherWanted(deps, place, { manifest, sources }),
    live ? lookAtLive(deps, place, live) : null,
  ]);
  return planDeployment({ manifest, wanted, live: state, runsTasks: true });
}

const PLANS: Readonly<Record<Run["deployment"]["request"]["kind"], (run: Run) => Promise<DeploymentPlan>>> = {
  deploy: planDeployRun,
  rollback: planRollback,
  destroy: planDestroy,
};

async function planDeployRun(run: Run): Promise<DeploymentPlan> {
  const { deps, deployment, place, live } = run;
  const manifest = manifestOf(run);
  const entries = await run.source();
  if (!entries) throw new EngineError("SNAPSHOT_INCOMPLETE", `the source snapshot ${deployment.request.snapshot} is not there`);
  const digests = Object.entries(manifest.services).map(([name, { source }]) => [name, sourceDigest(entries, source)] as const);
  return planDeploy(deps, place, { manifest, sources: Object.fromEntries(digests), live });
}

/** Back to a release: with its own artifacts, secret versions and manifest, on the plugins installed now. */
async function planRollback(run: Run): Promise<DeploymentPlan> {
  const { deps, place, live, target } = run;
  if (!target) throw new EngineError("RELEASE_NOT_FOUND", `there is no release ${run.deployment.request.toRelease}`);
  await checkManifest(deps, place, target.manifest);
  const former = await deps.ledger.listRevisions(place.scope, { environment: place.environment.id, states: ["warm", "draining"] });
  const state = live ? await lookAtLive(deps, place, live) : null;
  const wanted = Object.entries(target.services).map(
    ([service, { build, artifact, runtime, runtimeVersion, delivery, secrets, specDigest }]) => {
      const reuse = findFormer(former, { service, target });
      const isRouted = routes(deps, { runtime, delivery });
      return [service, { build, runtimeVersion, isRouted, secrets, specDigest, artifact, reuse } satisfies WantedService] as const;
    },
  );
  const plan = planDeployment({ manifest: target.manifest, wanted: Object.fromEntries(wanted), live: state, runsTasks: false });
  await checkArtifacts(run, plan);
  return plan;
}

/** A revision that served in the release and is still there. */
function findFormer(former: readonly RevisionRecord[], { service, target }: { service: string; target: ReleaseRecord }): string | null {
  const fit = former.filter(
    (one) => one.service === service && (one.id === target.services[service]!.revision || one.release === target.id),
  );
  return fit.at(-1)?.id ?? null;
}

async function checkArtifacts({ deps, place }: Run, { services }: DeploymentPlan): Promise<void> {
  for (const { service, action, artifact, reuse, build } of services) {
    if (action === "keep" || reuse !== null || !artifact) continue;
    if (await isArtifactThere(deps, place, { artifact, builder: build.plugin })) continue;
    throw new EngineError("ARTIFACT_GONE", `the artifact ${artifact.digest} of ${service} is not there any more`);
  }
}

async function planDestroy({ deps, place, deployment, live }: Run): Promise<DeploymentPlan> {
  const filter = { environment: place.environment.id };
  const [revisions, tables, volumes] = await Promise.all([
    deps.ledger.listRevisions(place.scope, filter),
    deps.ledger.routeTables(place.scope, filter),
    deployment.request.withData ? deps.ledger.volumes(place.scope, filter) : [],
  ]);
  const removed = Object.keys(live?.services ?? {});
  const present = volumes.filter(({ state }) => state === "wanted" || state === "there");
  const changes = removed.map((service): ServiceChange => ({ service, action: "delete", path: "", from: live!.id, to: null }));
  const deliveries = tables.map(({ plugin }) => plugin);
  return { services: [], removed, changes, steps: destroySteps({ deliveries, revisions, volumes: present }) };
}

import { digestOf } from "../../domain/digest.ts";
import type { LedgerWrite, ReleasedService } from "../../ports/index.ts";
import { artifactOf } from "../artifacts.ts";
import { clearNext } from "../clearance.ts";
import { pluginsOf } from "../policy-input.ts";
import { nextRevision } from "../revisions.ts";
import { type Run, manifestOf, planOf, releaseOf, servicePlan } from "../run.ts";
import { findingsOf } from "./policy.ts";
import type { StepWork } from "./step.ts";

/** Writes the verdict: what serves now is the release, what served before is on its way out. */
export const releaseStep: StepWork = async (run) => {
  const { deps, deployment, live } = run;
  const now = new Date(deps.clock.now()).toISOString();
  if (deployment.request.kind === "destroy") return { writes: [end(null, null)] };
  if (live && planOf(run).changes.length === 0) return { writes: [end(run.target?.id ?? live.id, null)] };
  const release = releaseOf(run);
  await clearNext(run);
  const made: readonly LedgerWrite[] = run.target ? [] : [{ write: "release.create", release: await newRelease(run, release) }];
  return { outcome: { release }, writes: [...made, ...(await revisionWrites(run, release)), end(release, now)] };
};

function end(release: string | null, cleanupAt: string | null): LedgerWrite {
  return { write: "deployment.end", state: "live", release, cleanupAt };
}

type NewRelease = Extract<LedgerWrite, { write: "release.create" }>["release"];

async function newRelease(run: Run, id: string): Promise<NewRelease> {
  const manifest = manifestOf(run);
  const findings = findingsOf(run);
  const { bundle } = await clearNext(run);
  const services = await Promise.all(
    planOf(run).services.map(async ({ service }) => [service, await releasedService(run, service)] as const),
  );
  const plugins = Object.entries(pluginsOf(run.deps, manifest)).map(
    ([name, { version, digest }]) => [`${name}@${version}`, digest] as const,
  );
  return {
    id,
    services: Object.fromEntries(services),
    manifest,
    configHash: digestOf(manifest),
    snapshot: run.deployment.request.snapshot ?? "",
    plugins: Object.fromEntries(plugins),
    policyBundle: bundle,
    findings,
  };
}

async function releasedService(run: Run, service: string): Promise<ReleasedService> {
  const { build, runtime, runtimeVersion, delivery, secrets, specDigest } = servicePlan(run, service);
  const revision = (await nextRevision(run, service))!.id;
  return { artifact: artifactOf(run, service), build, revision, runtime, runtimeVersion, delivery, secrets, specDigest };
}

/** New ones serve, kept ones belong to the release as well, everything else that served drains. */
async function revisionWrites(run: Run, release: string): Promise<readonly LedgerWrite[]> {
  const { grip, place, deps } = run;
  const next = await Promise.all(planOf(run).services.map(({ service }) => nextRevision(run, service)));
  const staying = next.filter((revision) => revision !== null);
  const serving = await deps.ledger.listRevisions(grip.scope, { environment: place.environment.id, states: ["serving"] });
  const leaving = serving.filter(({ id }) => !staying.some((revision) => revision.id === id));
  return [
    ...staying.map(({ id }) => ({ write: "revision.update", id, state: "serving", from: ["starting", "serving"], release }) as const),
    ...leaving.map(({ id }) => ({ write: "revision.update", id, state: "draining", from: ["serving"] }) as const),
  ];
}

import { digestOf } from "../../domain/digest.ts";
import { EngineError } from "../../domain/errors.ts";
import type { LedgerWrite, ReleasedService, RevisionRecord } from "../../ports/index.ts";
import { artifactOf } from "../artifacts.ts";
import { clearNext } from "../clearance.ts";
import { pluginsOf } from "../policy-input.ts";
import { nextRevision } from "../revisions.ts";
import { type Run, manifestOf, planOf, releaseOf, servicePlan } from "../run.ts";
import { timeNow } from "../time-now.ts";
import { findingsOf } from "./policy.ts";
import type { StepWork } from "./step.ts";

/** Writes the verdict: what serves now is the release, what served before is on its way out. */
export const releaseStep: StepWork = async (run) => {
  const { deps, deployment, live } = run;
  const now = timeNow(deps);
  if (deployment.request.kind === "destroy") return { writes: [end(null, null)] };
  if (live && planOf(run).changes.length === 0) return { writes: [end(run.target?.id ?? live.id, null)] };
  const release = releaseOf(run);
  await clearNext(run);
  const { environment } = run.place;
  const [next, serving] = await Promise.all([
    Promise.all(planOf(run).services.map(({ service }) => nextRevision(run, service))),
    deps.ledger.listRevisions(run.grip.scope, { environment: environment.id, states: ["serving"] }),
  ]);
  const staying = next.filter((revision) => revision !== null);
  const made: readonly LedgerWrite[] = run.target
    ? []
    : [{ write: "release.create", release: await newRelease(run, { id: release, staying }) }];
  return { outcome: { release }, writes: [...made, ...revisionWrites({ release, staying, serving }), end(release, now)] };
};

function end(release: string | null, cleanupAt: string | null): LedgerWrite {
  return { write: "deployment.end", state: "live", release, cleanupAt };
}

type NewRelease = Extract<LedgerWrite, { write: "release.create" }>["release"];

async function newRelease(run: Run, { id, staying }: { id: string; staying: readonly RevisionRecord[] }): Promise<NewRelease> {
  const manifest = manifestOf(run);
  const findings = findingsOf(run);
  const { bundle } = await clearNext(run);
  const services = planOf(run).services.map(({ service }) => {
    const revision = staying.find((one) => one.service === service);
    if (!revision) throw new EngineError("BUG", `service ${service} has no revision to release`);
    return [service, releasedService(run, revision)] as const;
  });
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

function releasedService(run: Run, { id: revision, service }: RevisionRecord): ReleasedService {
  const { build, runtime, runtimeVersion, delivery, secrets, specDigest } = servicePlan(run, service);
  return { artifact: artifactOf(run, service), build, revision, runtime, runtimeVersion, delivery, secrets, specDigest };
}

interface Revisions {
  readonly release: string;
  readonly staying: readonly RevisionRecord[];
  /** Those that serve until the verdict. */
  readonly serving: readonly RevisionRecord[];
}

/** New ones serve, kept ones belong to the release as well, everything else that served drains. */
function revisionWrites({ release, staying, serving }: Revisions): readonly LedgerWrite[] {
  const leaving = serving.filter(({ id }) => !staying.some((revision) => revision.id === id));
  return [
    ...staying.map(({ id }) => ({ write: "revision.update", id, state: "serving", from: ["starting", "serving"], release }) as const),
    ...leaving.map(({ id }) => ({ write: "revision.update", id, state: "draining", from: ["serving"] }) as const),
  ];
}

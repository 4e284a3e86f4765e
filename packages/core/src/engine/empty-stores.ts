import type { Artifact, Digest } from "@helixstack/sdk";
import type { EnvironmentRecord, ReleaseRecord } from "../ports/index.ts";
import { readPlugin } from "./call.ts";
import { everyPage } from "./every-page.ts";
import { identityOf } from "./place.ts";
import type { Run } from "./run.ts";

/**
 * Drops the sources and artifacts that only this environment had use for. What another environment can return to stays, and while another one is being
 * deployed nothing goes: its plan may count on what is there. A later destroy takes it.
 */
export async function emptyStores(run: Run): Promise<{ readonly freedBytes: number }> {
  const { deps, grip, place } = run;
  const environments = await deps.ledger.listEnvironments(grip.scope);
  const others = environments.filter(({ id, liveRelease }) => id !== place.environment.id && liveRelease !== null);
  const isBusy = environments.some(({ id, activeDeployment }) => id !== place.environment.id && activeDeployment !== null);
  if (isBusy) return { freedBytes: 0 };
  const [own, wanted, kept] = await Promise.all([
    useOf(run, { environment: place.environment.id }),
    // Those that wait behind this one, too.
    useOf(run, { isRunning: true }),
    Promise.all(others.map((environment) => releasesOf(run, environment))),
  ]);
  const keptReleases = kept.flat();
  const keptArtifacts = [...wanted.artifacts, ...keptReleases.flatMap(artifactsOf)];
  const keptSnapshots = [...wanted.snapshots, ...keptReleases.map(({ snapshot }) => snapshot)];
  const isKept = new Set<string>([...keptArtifacts.map(({ digest }) => digest), ...keptSnapshots]);
  const freed = await Promise.all([
    deps.sources.drop(own.snapshots.filter((digest) => !isKept.has(digest))),
    deps.artifacts.drop(own.artifacts.filter(({ digest }) => !isKept.has(digest)).map(({ digest }) => digest)),
    ...buildersThatKeep(run, own.artifacts).map((plugin) => pruneBuilder(run, { plugin, keep: keptArtifacts })),
  ]);
  return { freedBytes: freed.reduce((sum, bytes) => sum + bytes, 0) };
}

interface Use {
  readonly snapshots: readonly Digest[];
  readonly artifacts: readonly Artifact[];
}

/** Everything that deployments brought into the stores, those that failed included. */
async function useOf({ deps, grip }: Run, filter: Parameters<typeof deps.ledger.storeUse>[1]): Promise<Use> {
  const { snapshots, inputKeys } = await deps.ledger.storeUse(grip.scope, filter);
  const builds = await Promise.all(inputKeys.map((key) => deps.ledger.findBuild(grip.scope, key)));
  return { snapshots: snapshots as readonly Digest[], artifacts: builds.flatMap((build) => (build ? [build.artifact] : [])) };
}

function releasesOf({ deps, grip }: Run, { id }: EnvironmentRecord): Promise<readonly ReleaseRecord[]> {
  return everyPage<ReleaseRecord>((page) => deps.ledger.listReleases(grip.scope, { environment: id, ...page }));
}

function artifactsOf({ services }: ReleaseRecord): readonly Artifact[] {
  return Object.values(services).map(({ artifact }) => artifact);
}

/** Builders that keep their results in an engine of their own, and made some for this environment. */
function buildersThatKeep({ deps }: Run, artifacts: readonly Artifact[]): readonly string[] {
  if (!artifacts.some(({ uri }) => !uri.startsWith("file:"))) return [];
  return deps.plugins
    .list()
    .map(({ manifest }) => manifest.name)
    .filter((name) => deps.plugins.supports(name, "build.prune"));
}

async function pruneBuilder(run: Run, { plugin, keep }: { plugin: string; keep: readonly Artifact[] }): Promise<number> {
  const ask = { plane: "build", plugin, verb: "prune", identity: identityOf(run.place, {}), input: { keep }, signal: run.signal } as const;
  return (await readPlugin<{ readonly freedBytes: number }>(run.deps, run.place, ask)).freedBytes;
}

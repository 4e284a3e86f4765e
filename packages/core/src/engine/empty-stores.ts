import type { Artifact } from "@helixstack/sdk";
import { readPlugin } from "./call.ts";
import { identityOf } from "./place.ts";
import type { Run } from "./run.ts";
import { useOf, useOfReleases } from "./store-use.ts";

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
  const [own, wanted, released] = await Promise.all([
    useOf(deps, grip.scope, { environment: place.environment.id }),
    // Those that wait behind this one, too.
    useOf(deps, grip.scope, { isRunning: true }),
    useOfReleases(deps, grip.scope, others),
  ]);
  const keptArtifacts = [...wanted.artifacts, ...released.artifacts];
  const isKept = new Set<string>([...keptArtifacts.map(({ digest }) => digest), ...wanted.snapshots, ...released.snapshots]);
  const freed = await Promise.all([
    deps.sources.drop(own.snapshots.filter((digest) => !isKept.has(digest))),
    deps.artifacts.drop(own.artifacts.filter(({ digest }) => !isKept.has(digest)).map(({ digest }) => digest)),
    ...buildersThatKeep(run, own.artifacts).map((plugin) => pruneBuilder(run, { plugin, keep: keptArtifacts })),
  ]);
  return { freedBytes: freed.reduce((sum, bytes) => sum + bytes, 0) };
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

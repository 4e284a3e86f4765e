import type { Artifact, Digest } from "@helixstack/sdk";
import type { ReleaseRecord, Scope } from "../ports/index.ts";
import { everyPage } from "./every-page.ts";
import type { EngineDeps } from "./deps.ts";

/**
 * Drops sources and artifacts of this age that nothing refers to: what failed, cancelled and superseded deployments left. What a release, a revision or a
 * deployment that has not ended refers to stays, of whatever age, so every rollback stays possible. Images stay with their builder until a destroy. After
 * a restore, what was made between the backup and it stays: the ledger does not know what runs on it.
 */
export async function dropUnused(
  deps: EngineDeps,
  scope: Scope,
  options: { readonly olderThanMs: number },
): Promise<{ readonly freedBytes: number }> {
  const { restoredFrom, restoredAt } = await deps.ledger.installation();
  const to = restoredAt === null ? deps.clock.now() : Date.parse(restoredAt);
  const prune = { ...options, except: restoredFrom === null ? null : { from: Date.parse(restoredFrom), to } };
  // In this order: what a deployment that ends meanwhile leaves is a release by the time that releases are read.
  const running = await runningUse(deps, scope);
  const revisions = await deps.ledger.listRevisions(scope, {});
  const releases = await allReleases(deps, scope);
  const snapshots = [...running.snapshots, ...releases.map(({ snapshot }) => snapshot as Digest)];
  const artifacts = [
    ...running.artifacts,
    ...revisions.map(({ spec }) => spec.artifact),
    ...releases.flatMap(({ services }) => Object.values(services).map(({ artifact }) => artifact)),
  ];
  const freed = await Promise.all([
    deps.sources.prune(unique(snapshots), prune),
    deps.artifacts.prune(unique(artifacts.map(({ digest }) => digest as Digest)), prune),
  ]);
  return { freedBytes: freed[0] + freed[1] };
}

/** What deployments that have not ended were asked to deploy, and the builds that their plans count on. */
async function runningUse(
  { ledger }: EngineDeps,
  scope: Scope,
): Promise<{ readonly snapshots: readonly Digest[]; readonly artifacts: readonly Artifact[] }> {
  const { snapshots, inputKeys } = await ledger.storeUse(scope, { isRunning: true });
  const builds = await Promise.all(inputKeys.map((key) => ledger.findBuild(scope, key)));
  return { snapshots: snapshots as readonly Digest[], artifacts: builds.flatMap((build) => (build ? [build.artifact] : [])) };
}

async function allReleases({ ledger }: EngineDeps, scope: Scope): Promise<readonly ReleaseRecord[]> {
  const environments = await ledger.listEnvironments(scope);
  const each = environments.map(({ id }) => everyPage<ReleaseRecord>((page) => ledger.listReleases(scope, { environment: id, ...page })));
  return (await Promise.all(each)).flat();
}

function unique<T>(items: readonly T[]): readonly T[] {
  return [...new Set(items)];
}

import type { Digest } from "@helixstack/sdk";
import type { Scope } from "../ports/index.ts";
import type { EngineDeps } from "./deps.ts";
import { useOf, useOfReleases } from "./store-use.ts";

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
  const running = await useOf(deps, scope, { isRunning: true });
  const revisions = await deps.ledger.listRevisions(scope, {});
  const released = await useOfReleases(deps, scope, await deps.ledger.listEnvironments(scope));
  const artifacts = [...running.artifacts, ...revisions.map(({ spec }) => spec.artifact), ...released.artifacts];
  const freed = await Promise.all([
    deps.sources.prune(unique([...running.snapshots, ...released.snapshots]), prune),
    deps.artifacts.prune(unique(artifacts.map(({ digest }) => digest as Digest)), prune),
  ]);
  return { freedBytes: freed[0] + freed[1] };
}

function unique<T>(items: readonly T[]): readonly T[] {
  return [...new Set(items)];
}

import type { Artifact, Digest } from "@helixstack/sdk";
import type { DeploymentLedger, ReleaseRecord, Scope } from "../ports/index.ts";
import { everyPage } from "./every-page.ts";
import type { EngineDeps } from "./deps.ts";

/** What of the stores somebody counts on. */
export interface Use {
  readonly snapshots: readonly Digest[];
  readonly artifacts: readonly Artifact[];
}

/** What deployments brought into the stores, those that failed included, and the builds that their plans count on. */
export async function useOf({ ledger }: EngineDeps, scope: Scope, filter: Parameters<DeploymentLedger["storeUse"]>[1]): Promise<Use> {
  const { snapshots, inputKeys } = await ledger.storeUse(scope, filter);
  const builds = await Promise.all(inputKeys.map((key) => ledger.findBuild(scope, key)));
  return { snapshots: snapshots as readonly Digest[], artifacts: builds.flatMap((build) => (build ? [build.artifact] : [])) };
}

/** What the releases of these environments need, so that every rollback stays possible. */
export async function useOfReleases({ ledger }: EngineDeps, scope: Scope, environments: readonly { readonly id: string }[]): Promise<Use> {
  const each = environments.map(({ id }) => everyPage<ReleaseRecord>((page) => ledger.listReleases(scope, { environment: id, ...page })));
  const releases = (await Promise.all(each)).flat();
  return {
    snapshots: releases.map(({ snapshot }) => snapshot as Digest),
    artifacts: releases.flatMap(({ services }) => Object.values(services).map(({ artifact }) => artifact)),
  };
}

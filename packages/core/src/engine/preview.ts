import type { Manifest } from "../domain/manifest.ts";
import type { DeploymentRequest } from "../domain/plan.ts";
import { plainFinding } from "../domain/finding.ts";
import { sourceDigest } from "../domain/source-digest.ts";
import type { Scope, SnapshotEntry } from "../ports/index.ts";
import { failClosed } from "./decisions.ts";
import type { EngineDeps } from "./deps.ts";
import { planDeploy } from "./make-plan.ts";
import { findPlace } from "./place.ts";
import { policyInput } from "./policy-input.ts";
import type { Preview } from "./views.ts";

/** What is asked of a preview. */
export interface PreviewInput {
  readonly environment: string;
  readonly manifest: Manifest;
  /** The source's list of entries; its contents are not needed. */
  readonly entries: readonly SnapshotEntry[];
  readonly origin?: DeploymentRequest["origin"];
}

/** What a deploy would do. Reads the ledger, observes the world and asks the policies; writes nothing and stores no decision. */
export async function preview(deps: EngineDeps, scope: Scope, asked: PreviewInput): Promise<Preview> {
  const { environment: name, manifest, entries, origin } = asked;
  const { place, environment } = await findPlace(deps, scope, { project: manifest.project, environment: name });
  const live = environment?.liveRelease ? await deps.ledger.release(scope, environment.liveRelease) : null;
  const sources = Object.entries(manifest.services).map(([service, { source }]) => [service, sourceDigest(entries, source)] as const);
  const [plan, actor] = await Promise.all([
    planDeploy(deps, place, { manifest, sources: Object.fromEntries(sources), live }),
    deps.ledger.principal(scope, scope.principal),
  ]);
  const input = await policyInput(deps, "plan", { place, actor, deployment: null, manifest, origin, plan, live, artifacts: {}, entries });
  const { allow, findings } = await deps.policy.decide("plan", { ...input }).catch((thrown: unknown) => {
    throw failClosed(thrown);
  });
  return { plan, changes: plan.changes, findings: findings.map(plainFinding), allow };
}

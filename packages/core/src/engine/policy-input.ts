import type { Artifact, Permissions } from "@helixstack/sdk";
import type { Manifest } from "../domain/manifest.ts";
import type { DeploymentPlan, DeploymentRequest } from "../domain/plan.ts";
import type { DecisionPoint, DeploymentRecord, Principal, ReleaseRecord } from "../ports/index.ts";
import type { EngineDeps } from "./deps.ts";
import type { Place } from "./place.ts";

/** Everything that a policy may decide on. Names of secrets stand in it, values never. */
export interface PolicyInput {
  readonly point: DecisionPoint;
  /** ISO 8601. */
  readonly time: string;
  readonly installation: string;
  readonly organization: string;
  readonly project: string;
  readonly environment: string;
  readonly actor: Principal | null;
  /** Null in a plan that nobody has asked to carry out. */
  readonly deployment: { readonly id: string; readonly kind: string; readonly message: string | null; readonly createdAt: string } | null;
  readonly manifest: Manifest;
  /** The manifest's file and the line of each dotted path in it, where they are known. */
  readonly origin: DeploymentRequest["origin"] | null;
  readonly plan: Pick<DeploymentPlan, "services" | "removed" | "changes">;
  /** What was built so far, by service. */
  readonly artifacts: Readonly<Record<string, Artifact>>;
  /** The plugins that take part, by name. */
  readonly plugins: Readonly<Record<string, PluginSummary>>;
  readonly history: History;
}

interface PluginSummary {
  readonly version: string;
  readonly digest: string;
  readonly permissions: Permissions;
  readonly capabilities: readonly string[];
  readonly planes: readonly string[];
}

interface History {
  readonly live: { readonly release: string; readonly number: number; readonly createdAt: string } | null;
  /** The last deployments of the environment, newest first. */
  readonly deployments: readonly { readonly id: string; readonly kind: string; readonly state: string; readonly createdAt: string }[];
}

/** What the three decision points are asked with. */
export interface PolicySubject {
  readonly place: Place;
  readonly deployment: DeploymentRecord | null;
  readonly manifest: Manifest;
  readonly origin?: DeploymentRequest["origin"] | undefined;
  readonly plan: DeploymentPlan;
  readonly live: ReleaseRecord | null;
  readonly artifacts: Readonly<Record<string, Artifact>>;
}

const HISTORY_LENGTH = 10;

export async function policyInput(deps: EngineDeps, point: DecisionPoint, subject: PolicySubject): Promise<PolicyInput> {
  const { place, deployment, manifest, origin = deployment?.request.origin, plan, live, artifacts } = subject;
  const { services, removed, changes } = plan;
  const [actor, history] = await Promise.all([deps.ledger.principal(place.scope, place.scope.principal), historyOf(deps, place, live)]);
  return {
    point,
    time: new Date(deps.clock.now()).toISOString(),
    installation: place.installation,
    organization: place.scope.organization,
    project: place.project.name,
    environment: place.environment.name,
    actor,
    deployment: deployment && {
      id: deployment.id,
      kind: deployment.request.kind,
      message: deployment.message,
      createdAt: deployment.createdAt,
    },
    manifest,
    origin: origin ?? null,
    plan: { services, removed, changes },
    artifacts,
    plugins: pluginsOf(deps, manifest),
    history,
  };
}

/** The plugins that a manifest uses, as policies and releases name them. */
export function pluginsOf({ plugins }: Pick<EngineDeps, "plugins">, manifest: Manifest): Readonly<Record<string, PluginSummary>> {
  const used = Object.values(manifest.services).flatMap(({ build, runtime, delivery }) => [
    plugins.get("build", build),
    plugins.get("runtime", runtime),
    plugins.get("delivery", delivery),
  ]);
  return Object.fromEntries(
    used.map(({ manifest: { name, version, permissions, capabilities, planes }, digest }) => [
      name,
      { version, digest, permissions, capabilities, planes: Object.keys(planes) },
    ]),
  );
}

async function historyOf({ ledger }: EngineDeps, { scope, environment }: Place, live: ReleaseRecord | null): Promise<History> {
  const { items } = await ledger.listDeployments(scope, { environment: environment.id, limit: HISTORY_LENGTH });
  return {
    live: live && { release: live.id, number: live.number, createdAt: live.createdAt },
    deployments: items.map(({ id, request, state, createdAt }) => ({ id, kind: request.kind, state, createdAt })),
  };
}

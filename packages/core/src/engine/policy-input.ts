import type { Artifact, Permissions } from "@helixstack/sdk";
import type { Manifest } from "../domain/manifest.ts";
import type { DeploymentPlan, DeploymentRequest } from "../domain/plan.ts";
import { maskInput } from "../domain/mask-input.ts";
import { type SourceFacts, sourceFacts } from "../domain/source-facts.ts";
import type {
  ArtifactFacts,
  DecisionPoint,
  DeploymentRecord,
  Principal,
  ReleaseRecord,
  SnapshotEntry,
  WaiverRecord,
} from "../ports/index.ts";
import type { EngineDeps } from "./deps.ts";
import type { Place } from "./place.ts";
import { timeNow } from "./time-now.ts";

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
  readonly artifacts: Readonly<Record<string, ArtifactInput>>;
  /** The services' sources, where they are still there. */
  readonly sources: Readonly<Record<string, SourceFacts>>;
  /** Leave that others gave, as far as it is not over. */
  readonly waivers: readonly WaiverRecord[];
  /** What a month would cost; null where no provider says. */
  readonly cost: { readonly monthly: number; readonly currency: string } | null;
  /** The plugins that take part, by name. */
  readonly plugins: Readonly<Record<string, PluginSummary>>;
  readonly history: History;
}

/** An artifact and what is known of its content. Of what its builder keeps elsewhere, sizes and packages may be missing. */
export type ArtifactInput = Artifact & {
  readonly sizeBytes: number | null;
  readonly files: number | null;
  readonly packages: ArtifactFacts["packages"];
  /** Base images. */
  readonly base: readonly string[];
  /** The user that an image runs as; empty means root, null that it is no image. */
  readonly user: string | null;
};

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
  readonly actor: Principal | null;
  readonly deployment: DeploymentRecord | null;
  readonly manifest: Manifest;
  readonly origin?: DeploymentRequest["origin"] | undefined;
  readonly plan: DeploymentPlan;
  readonly live: ReleaseRecord | null;
  readonly artifacts: Readonly<Record<string, Artifact>>;
  /** The source's list of entries. */
  readonly entries: readonly SnapshotEntry[];
}

const HISTORY_LENGTH = 10;

/** The input of a decision, with masks in place of what looks like a secret: nobody is shown one, and none is stored. */
export async function policyInput(deps: EngineDeps, point: DecisionPoint, subject: PolicySubject): Promise<PolicyInput> {
  const { place, actor, deployment, manifest, origin = deployment?.request.origin, plan, live, artifacts, entries } = subject;
  const { services, removed, changes } = plan;
  const names = { project: place.project.name, environment: place.environment.name };
  const [history, waivers, described] = await Promise.all([
    historyOf(deps, place, live),
    deps.ledger.listWaivers(place.scope, names),
    Promise.all(Object.entries(artifacts).map(async ([service, artifact]) => [service, await artifactInput(deps, artifact)] as const)),
  ]);
  return maskInput({
    point,
    time: timeNow(deps),
    installation: place.installation,
    organization: place.scope.organization,
    ...names,
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
    artifacts: Object.fromEntries(described),
    sources: sourcesOf(manifest, entries),
    plugins: pluginsOf(deps, manifest),
    history,
    waivers,
    // No provider quotes yet.
    cost: null,
  });
}

async function artifactInput({ artifacts }: EngineDeps, artifact: Artifact): Promise<ArtifactInput> {
  const facts = await artifacts.facts(artifact);
  const image = artifact.kind === "oci-image" ? artifact.metadata : null;
  return {
    ...artifact,
    sizeBytes: facts?.sizeBytes ?? image?.sizeBytes ?? null,
    files: facts?.files ?? null,
    packages: facts?.packages ?? [],
    base: image?.base ?? [],
    user: image?.user ?? null,
  };
}

function sourcesOf({ services }: Manifest, entries: readonly SnapshotEntry[]): PolicyInput["sources"] {
  if (entries.length === 0) return {};
  return Object.fromEntries(Object.entries(services).map(([name, { source }]) => [name, sourceFacts(entries, source)]));
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
    deployments: items.map(({ id, kind, state, createdAt }) => ({ id, kind, state, createdAt })),
  };
}

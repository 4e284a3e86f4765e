import type { Artifact, Endpoint, RevisionSpec, RouteTable, SecretRef, ServiceAddress, VolumeHandle } from "@helixstack/sdk";
import type { ErrorDocument } from "../domain/errors.ts";
import type { BuildOrigin, DeploymentPlan, DeploymentRequest, StepKind } from "../domain/plan.ts";
import type { DeploymentState, RevisionState, StepState } from "../domain/states.ts";
import type { WaiverTerms } from "../domain/waivers.ts";
import type { Decision, DecisionPoint } from "./policy-engine.ts";

/** What the ledger keeps, as plain records. Times are ISO 8601 strings in UTC. Ids are those of `domain/ids.ts`. */

export interface Principal {
  readonly id: string;
  readonly kind: "person" | "token" | "system";
  readonly name: string;
}

export interface TokenRecord {
  readonly id: string;
  readonly name: string;
  readonly principal: string;
  /** The one project that it is bound to. */
  readonly project: string | null;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly revokedAt: string | null;
  readonly lastUsedAt: string | null;
}

export interface ProjectRecord {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
}

export interface EnvironmentRecord {
  readonly id: string;
  readonly project: string;
  readonly projectName: string;
  readonly name: string;
  /** The release that serves; null before the first and after a destroy. */
  readonly liveRelease: string | null;
  /** The deployment that holds the environment; null when none does. */
  readonly activeDeployment: string | null;
  readonly createdAt: string;
}

export interface DeploymentRecord {
  readonly id: string;
  readonly environment: string;
  readonly request: DeploymentRequest;
  readonly state: DeploymentState;
  readonly noChange: boolean;
  readonly plan: DeploymentPlan | null;
  /** The release it made, or (no change, rollback) confirmed. */
  readonly release: string | null;
  readonly error: ErrorDocument | null;
  readonly principal: string;
  readonly message: string | null;
  readonly supersededBy: string | null;
  readonly cancelRequestedBy: string | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly deadlineAt: string;
}

/** A deployment as lists have it: without what it was to deploy and how, which are most of its bytes. */
export interface DeploymentSummary extends Omit<DeploymentRecord, "request" | "plan"> {
  readonly kind: DeploymentRequest["kind"];
}

/** What deployments brought into the stores, each once. */
export interface StoreUse {
  /** Digests of source snapshots. */
  readonly snapshots: readonly string[];
  /** Of builds that their plans count on. */
  readonly inputKeys: readonly string[];
}

/**
 * A unit of queueing: `main` brings a deployment to its verdict, `cleanup` drains, freezes and retires what it left behind, `repair` brings
 * the live release back after its processes were lost.
 */
export interface RunRecord {
  readonly id: string;
  readonly deployment: string;
  readonly environment: string;
  readonly kind: "main" | "cleanup" | "repair";
  /** `waiting`: not its turn yet; `ready`: due at `dueAt`; `held`: a worker has it; `done`; `quarantined`. */
  readonly state: "waiting" | "ready" | "held" | "done" | "quarantined";
  readonly dueAt: string;
  readonly worker: string | null;
  readonly fence: number;
  /** Times that a worker died while it held the run, since the last step that got done. */
  readonly crashes: number;
}

export interface StepRecord {
  readonly deployment: string;
  readonly id: string;
  readonly kind: StepKind;
  readonly service: string | null;
  readonly state: StepState;
  /** Tries that ended with an error of the step itself. */
  readonly attempt: number;
  readonly operationId: string;
  readonly fence: number;
  readonly worker: string;
  /** `name@version`, for steps that call a plugin. */
  readonly plugin: string | null;
  readonly outcome: Readonly<Record<string, unknown>> | null;
  readonly error: ErrorDocument | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

/** The immutable tuple that went live. */
export interface ReleaseRecord {
  readonly id: string;
  readonly environment: string;
  readonly deployment: string;
  /** Counts up within the environment, for people. */
  readonly number: number;
  readonly services: Readonly<Record<string, ReleasedService>>;
  /** The manifest as it was, with defaults. */
  readonly manifest: NonNullable<DeploymentRequest["manifest"]>;
  readonly configHash: string;
  readonly snapshot: string;
  /** `name@version` to digest. */
  readonly plugins: Readonly<Record<string, string>>;
  readonly policyBundle: string;
  /** Findings that did not refuse it. */
  readonly findings: Decision["findings"];
  readonly principal: string;
  readonly createdAt: string;
}

export interface ReleasedService {
  readonly artifact: Artifact;
  readonly build: BuildOrigin;
  readonly revision: string;
  readonly runtime: string;
  readonly runtimeVersion: string;
  readonly delivery: string;
  readonly secrets: readonly SecretRef[];
  /** Digest of all that makes the revision what it is: equal means that a redeploy may keep it. */
  readonly specDigest: string;
}

export interface RevisionRecord {
  readonly id: string;
  readonly unit: string;
  readonly environment: string;
  readonly service: string;
  readonly deployment: string;
  readonly release: string | null;
  /** The runtime plugin, `name` and `version` it was applied with. */
  readonly plugin: string;
  readonly pluginVersion: string;
  readonly spec: RevisionSpec;
  readonly state: RevisionState;
  /** What the plugin gave back, and its `stateVersion`. Null until the first apply was seen to return. */
  readonly pluginState: unknown;
  readonly stateVersion: number | null;
  readonly endpoints: readonly Endpoint[];
  readonly createdAt: string;
  /** When a warm revision is to be retired. */
  readonly retireAt: string | null;
}

/** The route table of one environment at one delivery provider. */
export interface RouteTableRecord {
  readonly environment: string;
  readonly plugin: string;
  readonly unit: string;
  /** The last table that was acknowledged by every live router. */
  readonly table: RouteTable | null;
  readonly pluginState: unknown;
  readonly addresses: readonly ServiceAddress[];
  /** The highest generation ever handed out. */
  readonly generation: number;
}

export interface VolumeRecord {
  readonly id: string;
  readonly environment: string;
  readonly service: string;
  readonly name: string;
  readonly plugin: string;
  readonly handle: VolumeHandle | null;
  readonly state: "wanted" | "there" | "gone" | "forgotten";
  readonly createdAt: string;
}

export interface BuildRecord {
  readonly inputKey: string;
  readonly artifact: Artifact;
  readonly plugin: string;
  readonly createdAt: string;
}

/** One decision, whole, so that it can be replayed. */
export interface DecisionRecord {
  readonly id: string;
  readonly deployment: string;
  readonly point: DecisionPoint;
  readonly input: Readonly<Record<string, unknown>>;
  readonly inputDigest: string;
  readonly decision: Decision;
  readonly at: string;
}

/** Leave to go on in spite of a soft-mandatory rule, given by one principal for the deployments of others. */
export interface WaiverRecord extends WaiverTerms {
  readonly project: string;
  /** Null: every environment of the project. */
  readonly environment: string | null;
  readonly createdAt: string;
}

/** One numbered event of a stream. Streams are `deployment:<id>` and `environment:<id>`. */
export interface EventRecord {
  readonly stream: string;
  /** Counts up without gaps within the stream. */
  readonly seq: number;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly at: string;
}

/** A process that runs deployments. */
export interface WorkerRecord {
  readonly id: string;
  /** Identifies the machine and its boot: pids of another boot name nothing here. */
  readonly machine: string;
  readonly boot: string;
  readonly pid: number;
  readonly startTicks: string;
  readonly planes: readonly string[];
  readonly startedAt: string;
  /** Counts up with each heartbeat; its own time says nothing, an observer measures how long it stays the same. */
  readonly beat: number;
  readonly endedAt: string | null;
}

import type { Artifact, Change, SecretRef, VolumeMount } from "@helixstack/sdk";
import type { Manifest } from "./manifest.ts";
import type { Origin } from "./origin.ts";

/** The steps a deployment would take, and what they would change. Plain data, computed without side effects. */
export interface DeploymentPlan {
  readonly services: readonly ServicePlan[];
  /** Services of the live release that are gone from the manifest. */
  readonly removed: readonly string[];
  readonly changes: readonly ServiceChange[];
  readonly steps: readonly PlannedStep[];
}

/** What happens to one service. `keep`: its revision goes on as it is and becomes part of the new release. */
export interface ServicePlan {
  readonly service: string;
  readonly action: "create" | "replace" | "keep";
  /** True for a single-writer volume: the old revision stops before the new one starts, while the router holds requests. */
  readonly handOver: boolean;
  readonly build: BuildOrigin;
  readonly runtime: string;
  readonly runtimeVersion: string;
  readonly delivery: string;
  readonly volumes: readonly Omit<VolumeMount, "handle">[];
  /** The secret versions that this deployment pins. */
  readonly secrets: readonly SecretRef[];
  /** Of all that makes the revision what it is: equal means that a redeploy may keep it. */
  readonly specDigest: string;
  /** Known before a build where the service is kept or rolled back; else null. */
  readonly artifact: Artifact | null;
  /** The revision that serves now; null when none does. */
  readonly live: string | null;
  /** A former revision that a rollback takes back into service; null makes a new one. */
  readonly reuse: string | null;
}

/** What a build is looked up by. */
export interface BuildOrigin {
  readonly plugin: string;
  readonly inputKey: string;
  /** Digest of the service's source files. */
  readonly source: string;
  /** Tools that the result depends on, as the builder names them. */
  readonly toolchain: string;
}

/** A {@link Change} of a named service: what `helix plan` prints. */
export interface ServiceChange extends Change {
  readonly service: string;
}

/** One step of the pipeline. `id` is unique in the deployment and stable across resumes. */
export interface PlannedStep {
  readonly id: string;
  readonly kind: StepKind;
  /** Null for steps of the whole deployment. */
  readonly service: string | null;
  /** The task's name, for `task`. */
  readonly task: string | null;
  /** What else the step is about: a delivery plugin, a revision, a volume. */
  readonly subject: string | null;
}

/**
 * In the order in which they run. `reserve` gives new services their ports. `hold` and `halt` only for a hand-over: the router holds requests, the
 * old revision stops. `drain`, `freeze` and `retire` run after the deployment is `live` and do not hold the environment; `unroute` and `erase` are
 * those of `destroy`.
 */
export const STEP_KINDS = [
  "plan",
  "policy-plan",
  "build",
  "policy-artifact",
  "reserve",
  "volume",
  "hold",
  "halt",
  "task",
  "apply",
  "verify",
  "policy-release",
  "route",
  "unroute",
  "release",
  "drain",
  "freeze",
  "retire",
  "erase",
] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/** What a deployment is asked for. */
export interface DeploymentRequest {
  readonly kind: "deploy" | "rollback" | "destroy";
  readonly manifest: Manifest | null;
  /** Digest of the source snapshot, for `deploy`. */
  readonly snapshot: string | null;
  /** Release to return to, for `rollback`. */
  readonly toRelease: string | null;
  /** Remove volumes too, for `destroy`. */
  readonly withData: boolean;
  /** Where the manifest was read, for the place of findings. */
  readonly origin?: Origin;
}

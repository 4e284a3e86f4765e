import type { Change, VolumeMount } from "@helixstack/sdk";
import type { Manifest } from "./manifest.ts";

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
  readonly build: { readonly plugin: string; readonly inputKey: string };
  readonly runtime: string;
  readonly delivery: string;
  readonly volumes: readonly Omit<VolumeMount, "handle">[];
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
}

/**
 * In the order in which they run. `hold` and `halt` only for a hand-over: the router holds requests, the old revision stops.
 * `drain`, `freeze` and `retire` run after the deployment is `live` and do not hold the environment.
 */
export const STEP_KINDS = [
  "plan",
  "policy-plan",
  "build",
  "policy-artifact",
  "volume",
  "hold",
  "halt",
  "task",
  "apply",
  "verify",
  "policy-release",
  "route",
  "release",
  "drain",
  "freeze",
  "retire",
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
}

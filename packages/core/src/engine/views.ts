import type { Artifact } from "@helixstack/sdk";
import type { DeploymentPlan, ServiceChange } from "../domain/plan.ts";
import type { DeploymentState, RevisionState } from "../domain/states.ts";
import type { ErrorDocument } from "../domain/errors.ts";
import type { Finding } from "../ports/index.ts";

/** What the engine answers to questions. Times are ISO 8601 in UTC. */

export interface EnvironmentNames {
  readonly project: string;
  readonly environment: string;
}

/** What a deploy would do, and what the policies say. */
export interface Preview {
  readonly plan: DeploymentPlan;
  readonly changes: readonly ServiceChange[];
  readonly findings: readonly Finding[];
  readonly allow: boolean;
}

export interface EnvironmentStatus {
  readonly project: string;
  readonly environment: string;
  readonly release: { readonly id: string } | null;
  /** The deployment that holds the environment. */
  readonly deployment: { readonly id: string; readonly status: DeploymentState } | null;
  readonly services: readonly ServiceStatus[];
}

export interface ServiceStatus {
  readonly name: string;
  readonly environment: string;
  readonly url: string | null;
  readonly address: { readonly host: string; readonly port: number } | null;
  readonly runtime: string;
  readonly artifact: Pick<Artifact, "kind" | "digest">;
  /** `degraded`: some instances run, or the provider does not say; `down`: none does. */
  readonly status: "live" | "degraded" | "down";
  readonly revisions: readonly RevisionStatus[];
}

export interface RevisionStatus {
  readonly id: string;
  readonly release: string | null;
  readonly state: Extract<RevisionState, "starting" | "serving" | "draining" | "warm">;
}

/** A release that a rollback can go to. Data in volumes, and what tasks did, stays as it is. */
export interface Candidate {
  readonly release: string;
  readonly number: number;
  readonly createdAt: string;
  readonly message: string | null;
  /** Whether its revisions are frozen and can be thawed. */
  readonly warm: boolean;
  /** What will differ from what is live. */
  readonly changes: readonly ServiceChange[];
}

/** What differs between the ledger and the world. */
export interface SweepReport {
  readonly drift: readonly Drift[];
  readonly orphans: readonly Orphan[];
  /** Plugins that could not be asked: of what they hold nothing is known. */
  readonly unknown: readonly { readonly plugin: string; readonly error: ErrorDocument }[];
}

export interface Drift {
  readonly kind: string;
  readonly id: string;
  readonly service: string | null;
  readonly description: string;
}

export interface Orphan {
  readonly plugin: string;
  readonly kind: string;
  readonly id: string;
  readonly description: string;
  /** Made after the backup that the ledger was restored from: it may serve, and is there to be adopted. */
  readonly isNewer: boolean;
}

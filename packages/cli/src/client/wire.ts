import type { Artifact } from "@helixstack/sdk";
import type { DeploymentState, ErrorDocument, Finding, ServiceChange } from "@helixstack/core/client";

/** What the API answers, as far as the command reads it. Unknown fields are passed on to `--json` as they are. */

export interface ServiceResult {
  readonly name: string;
  readonly environment: string;
  /** Null for a service without an endpoint. */
  readonly url: string | null;
  readonly address: { readonly host: string; readonly port: number } | null;
  readonly runtime: string;
  readonly artifact: Pick<Artifact, "kind" | "digest">;
}

/** What a deployment came to: the document of `helix deploy --json` but for `ok`. */
export interface DeploymentResult {
  readonly deployment: { readonly id: string; readonly status: DeploymentState; readonly noChange: boolean; readonly kind?: string };
  readonly release: { readonly id: string } | null;
  readonly services: readonly ServiceResult[];
  readonly findings?: readonly Finding[];
  readonly error?: ErrorDocument | null;
}

export interface PlanResult {
  readonly changes: readonly ServiceChange[];
  readonly findings: readonly Finding[];
}

export interface DeploymentItem {
  readonly id: string;
  readonly project?: string;
  readonly environment?: string;
  readonly kind: string;
  readonly status: DeploymentState;
  readonly noChange: boolean;
  readonly release: string | null;
  readonly message: string | null;
  readonly principal?: string | { readonly name: string };
  readonly createdAt: string;
  readonly endedAt: string | null;
  readonly error: ErrorDocument | null;
}

export interface PageOf<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

export interface ServiceStatus extends ServiceResult {
  readonly status: "live" | "degraded" | "down";
  readonly revisions: readonly { readonly id: string; readonly release: string | null; readonly state: string }[];
}

export interface PlaneProcess {
  readonly role: string;
  readonly pid: number;
}

/** A release that a rollback can go to. */
export interface Candidate {
  readonly release: string;
  readonly number?: number;
  readonly createdAt?: string;
  readonly message?: string | null;
  /** Whether its revisions are frozen and can be thawed. */
  readonly warm?: boolean;
  readonly changes?: readonly { readonly service: string; readonly path: string }[];
}

export interface EnvironmentStatus {
  readonly project?: string;
  readonly environment?: string;
  readonly release?: { readonly id: string } | null;
  readonly deployment?: unknown;
  readonly services: readonly ServiceStatus[];
}

export interface TokenItem {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
}

export interface EnvironmentItem {
  readonly project: string;
  readonly name: string;
  readonly liveRelease: string | null;
  readonly createdAt: string;
}

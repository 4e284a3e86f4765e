import type { Artifact } from "@helixstack/sdk";
import type { ErrorDocument } from "../domain/errors.ts";
import type { DeploymentRequest, ServiceChange } from "../domain/plan.ts";
import type { DeploymentState } from "../domain/states.ts";
import type { Finding } from "../ports/policy-engine.ts";
import type { StepRecord } from "../ports/records.ts";

export type { Candidate, EnvironmentNames, EnvironmentStatus, ServiceStatus, SweepReport } from "../engine/views.ts";

/** What the API answers, as its clients see it. Times are ISO 8601 in UTC. */

/** A page of a list, newest first. */
export interface PageOf<T> {
  readonly items: readonly T[];
  /** For `cursor` of the next request; null on the last page. */
  readonly next: string | null;
}

/** A service of a release and where it answers. */
export interface ServiceResult {
  readonly name: string;
  readonly environment: string;
  /** Null for a service without an endpoint. */
  readonly url: string | null;
  readonly address: { readonly host: string; readonly port: number } | null;
  readonly runtime: string;
  readonly artifact: Pick<Artifact, "kind" | "digest">;
}

/** A deployment in lists. */
export interface DeploymentItem {
  readonly id: string;
  readonly project: string;
  readonly environment: string;
  readonly kind: DeploymentRequest["kind"];
  readonly status: DeploymentState;
  readonly noChange: boolean;
  readonly release: string | null;
  readonly message: string | null;
  readonly principal: { readonly id: string; readonly name: string };
  readonly error: ErrorDocument | null;
  readonly supersededBy: string | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly deadlineAt: string;
}

/** A deployment with all that happened in it. */
export interface DeploymentDetail extends DeploymentItem {
  readonly snapshot: string | null;
  readonly toRelease: string | null;
  readonly changes: readonly ServiceChange[];
  readonly steps: readonly StepItem[];
  readonly decisions: readonly DecisionItem[];
  /** Workers that died while they ran it, oldest first. */
  readonly incidents: readonly IncidentItem[];
}

/** The death of a worker that held a run, and what came of it. */
export interface IncidentItem {
  readonly at: string;
  readonly deployment: string;
  readonly run: "main" | "cleanup" | "repair";
  readonly worker: string;
  /** The step that had no end then; null when it was between two. */
  readonly step: string | null;
  /** How its death was proved. */
  readonly reason: string;
  readonly takenOverBy: string | null;
  readonly takenOverAt: string | null;
  /** It was one death too many: nobody takes the run any more. */
  readonly isQuarantined: boolean;
}

export type StepItem = Omit<StepRecord, "deployment" | "outcome" | "worker" | "operationId">;

export interface DecisionItem {
  readonly id: string;
  readonly point: string;
  readonly allow: boolean;
  readonly bundle: string;
  readonly inputDigest: string;
  readonly findings: readonly Finding[];
  readonly at: string;
}

/** What a deployment came to: the document of `helix deploy --json`, but for `ok`. */
export interface DeploymentResult {
  readonly deployment: {
    readonly id: string;
    readonly kind: DeploymentRequest["kind"];
    readonly status: DeploymentState;
    readonly noChange: boolean;
  };
  readonly release: { readonly id: string } | null;
  readonly services: readonly ServiceResult[];
  readonly findings: readonly Finding[];
  readonly error: ErrorDocument | null;
}

export interface EnvironmentItem {
  readonly id: string;
  readonly project: string;
  readonly name: string;
  readonly liveRelease: string | null;
  readonly activeDeployment: string | null;
  readonly createdAt: string;
}

/** A secret by its name; its value is nowhere in the API but in the answer to a pull. */
export type { SecretItem } from "../ports/secret-store.ts";
export type { SecretChange } from "./secrets/import.ts";

export interface TokenItem {
  readonly id: string;
  readonly name: string;
  /** The one project that it is bound to. */
  readonly project: string | null;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  readonly revokedAt: string | null;
}

/** What a new pack would have said of one deployment. */
export interface BacktestItem {
  readonly deployment: string;
  readonly project: string;
  readonly environment: string;
  readonly at: string;
  /** What was decided then, by the policies of then. */
  readonly before: "allowed" | "refused";
  /** What the new pack alone says; `undecided`: it could not be asked. */
  readonly after: "allowed" | "refused" | "undecided";
  readonly findings: readonly Finding[];
  readonly error: ErrorDocument | null;
}

export interface BacktestReport {
  readonly pack: string;
  /** Newest first. */
  readonly items: readonly BacktestItem[];
}

/** A decision with all that was said. */
export interface ExplainedDecision extends Omit<DecisionItem, "point"> {
  readonly point: "plan" | "artifact" | "release";
  readonly error: ErrorDocument | null;
  readonly input: unknown;
}

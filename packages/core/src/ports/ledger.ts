import type { ErrorDocument } from "../domain/errors.ts";
import type { DeploymentPlan, DeploymentRequest } from "../domain/plan.ts";
import type { DeploymentState, RevisionState } from "../domain/states.ts";
import type { HostProcess } from "./plugins.ts";
import type {
  BuildRecord,
  DecisionRecord,
  DeploymentRecord,
  DeploymentSummary,
  EnvironmentRecord,
  EventRecord,
  Principal,
  ProjectRecord,
  ReleaseRecord,
  RevisionRecord,
  RouteTableRecord,
  RunRecord,
  StepRecord,
  StoreUse,
  TokenRecord,
  VolumeRecord,
  WaiverRecord,
  WorkerRecord,
} from "./records.ts";
import type { DecisionPoint } from "./policy-engine.ts";
import type { Scope } from "./scope.ts";
import type { WakeJob } from "./queue.ts";

/** The truth about deployments. What is not in it did not happen; what is in it happened or is being undone. */
export interface Ledger extends AccessLedger, DeploymentLedger, PolicyLedger, WorldLedger, RunLedger, WorkerLedger {
  /** The id of this installation, made by the first migration; and its epoch, raised by each restore from a backup. */
  installation(): Promise<Installation>;
  /** Rejects with `DATABASE_DOWN` unless a query is answered. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Who asks, as a token says. */
export interface Authenticated {
  readonly scope: Scope;
  readonly principal: Principal;
  /** The one project that the token is bound to; null for a token of the whole organization. */
  readonly project: string | null;
}

export interface Installation {
  readonly id: string;
  readonly epoch: number;
  /** The time of the backup that this epoch began with; null when there was none. */
  readonly restoredFrom: string | null;
  /** When it was restored: what was made between the two, this ledger does not know. */
  readonly restoredAt: string | null;
}

/** Who may ask. */
export interface AccessLedger {
  /** The principal of a token, by the SHA-256 of it; null for an unknown or revoked one. Notes the use. */
  authenticate(tokenHash: string): Promise<Authenticated | null>;
  createToken(
    scope: Scope,
    input: { readonly name: string; readonly hash: string; readonly project?: string | null },
  ): Promise<TokenRecord>;
  listTokens(scope: Scope): Promise<readonly TokenRecord[]>;
  /** Null when there is no live token of this name or id. */
  revokeToken(scope: Scope, nameOrId: string): Promise<TokenRecord | null>;
  /** The default organization and the principal of this name, made if needed. For the local token and the engine itself. */
  ensurePrincipal(input: { readonly kind: Principal["kind"]; readonly name: string }): Promise<Scope>;
  principal(scope: Scope, id: string): Promise<Principal | null>;
}

/** What was asked, and what became of it. */
export interface DeploymentLedger {
  /** Projects with their environments, by name. */
  listEnvironments(scope: Scope, filter?: { readonly project?: string }): Promise<readonly EnvironmentRecord[]>;
  listProjects(scope: Scope): Promise<readonly ProjectRecord[]>;
  findEnvironment(scope: Scope, names: { readonly project: string; readonly environment: string }): Promise<EnvironmentRecord | null>;
  environment(scope: Scope, id: string): Promise<EnvironmentRecord | null>;
  /**
   * Records a deployment, in one transaction: makes project and environment where they are missing, answers an idempotency key that was used
   * (`IDEMPOTENCY_MISMATCH` for another request), supersedes older queued ones, and readies its main run if the environment is free.
   */
  createDeployment(scope: Scope, input: NewDeployment): Promise<{ readonly deployment: DeploymentRecord; readonly replayed: boolean }>;
  deployment(scope: Scope, id: string): Promise<DeploymentRecord | null>;
  /** Newest first. `cursor` is the last page's `next`. */
  listDeployments(
    scope: Scope,
    page: Page & { readonly environment?: string; readonly project?: string },
  ): Promise<Paged<DeploymentSummary>>;
  /** What the deployments of an environment, or of all, brought into the stores; `isRunning` leaves out those that have ended. */
  storeUse(scope: Scope, filter: { readonly environment?: string; readonly isRunning?: boolean }): Promise<StoreUse>;
  /** Queued: ended as `cancelled` at once. Running: asked to stop. Ended: rejects with `DEPLOYMENT_ENDED`. */
  requestCancel(scope: Scope, deployment: string): Promise<DeploymentRecord>;
  steps(scope: Scope, deployment: string): Promise<readonly StepRecord[]>;
  decisions(scope: Scope, deployment: string): Promise<readonly DecisionRecord[]>;
  release(scope: Scope, id: string): Promise<ReleaseRecord | null>;
  /** Newest first. */
  listReleases(scope: Scope, page: Page & { readonly environment: string }): Promise<Paged<ReleaseRecord>>;
  findBuild(scope: Scope, inputKey: string): Promise<BuildRecord | null>;
  listBuilds(scope: Scope): Promise<readonly BuildRecord[]>;
  /** Events after `after`, in order, at most `limit`. */
  events(scope: Scope, input: { readonly stream: string; readonly after: number; readonly limit: number }): Promise<readonly EventRecord[]>;
  /** Writes an event that belongs to no run: what a person did outside of a deployment. */
  recordEvent(
    scope: Scope,
    event: { readonly stream: string; readonly type: string; readonly data: Readonly<Record<string, unknown>> },
  ): Promise<void>;
  /** The newest events of these types, oldest of them first. */
  lastEvents(
    scope: Scope,
    input: { readonly stream: string; readonly types: readonly string[]; readonly limit: number },
  ): Promise<readonly EventRecord[]>;
  /** Calls back when a stream may have new events (spurious calls are allowed), until the signal fires. Resolves once it watches: read after that. */
  watch(scope: Scope, input: { readonly stream: string; readonly signal: AbortSignal }, onEvent: () => void): Promise<void>;
}

export interface NewDeployment {
  readonly project: string;
  readonly environment: string;
  readonly request: DeploymentRequest;
  readonly message: string | null;
  readonly deadlineMs: number;
  readonly idempotency: { readonly key: string; readonly requestHash: string } | null;
}

export interface Page {
  readonly limit: number;
  readonly cursor?: string | null;
}

export interface Paged<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** What was decided, and what may be overlooked for a while. */
export interface PolicyLedger {
  /** Decisions at one point, newest first, with their whole inputs. Of all projects when none is named. */
  listDecisions(
    scope: Scope,
    filter: { readonly point: DecisionPoint; readonly project: string | null; readonly limit: number },
  ): Promise<readonly DecisionRecord[]>;
  /** Records a waiver in the name of the scope's principal. */
  createWaiver(scope: Scope, input: NewWaiver): Promise<WaiverRecord>;
  /** Waivers that are not over, oldest first. With an environment: those for it and for all. */
  listWaivers(
    scope: Scope,
    filter: { readonly project: string | null; readonly environment: string | null },
  ): Promise<readonly WaiverRecord[]>;
}

export interface NewWaiver {
  readonly project: string;
  readonly environment: string | null;
  readonly rule: string;
  readonly path: string | null;
  readonly reason: string;
  readonly forMs: number;
}

/** What is believed to be in the world. */
export interface WorldLedger {
  revision(scope: Scope, id: string): Promise<RevisionRecord | null>;
  /** Revisions that are not `gone` or `forgotten`, oldest first. All environments when none is named. */
  listRevisions(
    scope: Scope,
    filter: { readonly environment?: string; readonly states?: readonly RevisionState[] },
  ): Promise<readonly RevisionRecord[]>;
  routeTables(scope: Scope, filter: { readonly environment?: string }): Promise<readonly RouteTableRecord[]>;
  volumes(scope: Scope, filter: { readonly environment?: string }): Promise<readonly VolumeRecord[]>;
  /** The unit of a service at a plugin, made if needed. Ids never change. */
  ensureUnit(
    scope: Scope,
    input: { readonly environment: string; readonly service: string; readonly plane: string; readonly plugin: string },
  ): Promise<string>;
  /** Marks a thing as forgotten, with the reason and who said so. */
  forget(scope: Scope, input: { readonly kind: "revision" | "volume"; readonly id: string; readonly reason: string }): Promise<void>;
}

/** What a worker holds while it works on a run. Every write checks it. */
export interface Grip {
  readonly scope: Scope;
  readonly run: string;
  readonly deployment: string;
  readonly environment: string;
  readonly worker: string;
  readonly fence: number;
}

/** The worker's side: taking runs and writing down what happens. */
export interface RunLedger {
  /** Readies a repair run for an environment with a live release, unless one is there already or a deployment holds it. Returns whether it did. */
  requestRepair(scope: Scope, environment: string): Promise<boolean>;
  /** A fence of the environment that is higher than any before: for what is done to it outside of a run. */
  raiseFence(scope: Scope, environment: string): Promise<number>;
  /** Takes a run that is ready and due, raising its fence. Null when somebody else has it or it is not to be done now. */
  claim(job: WakeJob, worker: string): Promise<{ readonly grip: Grip; readonly run: RunRecord } | null>;
  /**
   * Applies all writes in one transaction, or none. Rejects with `STALE_FENCE` when the grip is not the current one.
   * This is the only road on which a worker changes the ledger.
   */
  commit(grip: Grip, writes: readonly LedgerWrite[]): Promise<void>;
  /** Runs held by workers other than the given ones. */
  heldRuns(): Promise<readonly (WakeJob & { readonly worker: string; readonly crashes: number })[]>;
  /** Takes a run away from a worker that is proved dead: ready again, crash counted, quarantined when `crashes` passes `limit`. */
  takeAway(job: WakeJob, input: { readonly from: string; readonly limit: number; readonly reason: string }): Promise<void>;
  /** Moves up to `limit` wake-ups from the outbox to `send`; a row leaves only after `send` resolved. Returns how many. */
  relayOutbox(limit: number, send: (job: WakeJob) => Promise<void>): Promise<number>;
  /** Runs that are ready and due for longer than `forMs` without being taken: their wake-ups were lost. Also those that became due by time. */
  overdueRuns(forMs: number): Promise<readonly WakeJob[]>;
  /** Calls back when the outbox may have rows that are due, until the signal fires. Resolves once it watches. */
  watchOutbox(signal: AbortSignal, onRow: () => void): Promise<void>;
}

/** One change that a worker writes. Several stand in one transaction. */
export type LedgerWrite =
  | {
      readonly write: "step.intend";
      readonly step: Pick<StepRecord, "id" | "kind" | "service" | "attempt" | "operationId" | "plugin">;
      /** When it began, ISO 8601. Absent: now. */
      readonly at?: string;
    }
  | {
      readonly write: "step.end";
      readonly step: string;
      readonly state: "done" | "failed" | "skipped" | "undone";
      readonly outcome?: Readonly<Record<string, unknown>>;
      readonly error?: ErrorDocument;
      /** When it ended, ISO 8601. Absent: now. */
      readonly at?: string;
    }
  | { readonly write: "deployment.plan"; readonly plan: DeploymentPlan; readonly noChange: boolean }
  /** From `running` to `compensating`, with the cause. */
  | { readonly write: "deployment.compensate"; readonly verdict: "failed" | "cancelled"; readonly error: ErrorDocument }
  /**
   * The verdict. Frees the environment, ends the main run, readies the next queued deployment, and (with `cleanupAt`) readies a cleanup run.
   * For `live`, `release` becomes the environment's live release (null: the environment is empty now).
   */
  | {
      readonly write: "deployment.end";
      readonly state: Extract<DeploymentState, "live" | "failed" | "cancelled">;
      readonly release?: string | null;
      readonly error?: ErrorDocument;
      readonly cleanupAt: string | null;
    }
  | {
      readonly write: "release.create";
      readonly release: Omit<ReleaseRecord, "number" | "createdAt" | "environment" | "deployment" | "principal">;
    }
  | {
      readonly write: "revision.create";
      readonly revision: Pick<RevisionRecord, "id" | "unit" | "service" | "plugin" | "pluginVersion" | "spec">;
    }
  | {
      readonly write: "revision.update";
      readonly id: string;
      readonly state?: RevisionState;
      /** The write is refused (`CONFLICT`) unless the revision is in one of these. */
      readonly from?: readonly RevisionState[];
      readonly release?: string | null;
      readonly pluginState?: unknown;
      readonly stateVersion?: number;
      readonly endpoints?: RevisionRecord["endpoints"];
      readonly retireAt?: string | null;
    }
  /** Hands out the next generation before the switch; `table` is what will be applied. Read back with `routeTables`. */
  | { readonly write: "routes.intend"; readonly plugin: string; readonly unit: string; readonly generation: number }
  | {
      readonly write: "routes.set";
      readonly plugin: string;
      readonly table: RouteTableRecord["table"];
      readonly pluginState: unknown;
      readonly addresses: RouteTableRecord["addresses"];
    }
  | { readonly write: "volume.want"; readonly volume: Pick<VolumeRecord, "id" | "service" | "name" | "plugin"> }
  | {
      readonly write: "volume.update";
      readonly id: string;
      readonly state: VolumeRecord["state"];
      readonly handle?: VolumeRecord["handle"];
    }
  | { readonly write: "build.record"; readonly build: Omit<BuildRecord, "createdAt"> }
  | { readonly write: "decision.record"; readonly decision: Omit<DecisionRecord, "deployment" | "at"> }
  | { readonly write: "event"; readonly type: string; readonly data: Readonly<Record<string, unknown>> }
  /** Puts the run back: ready again at `dueAt` (a retry's back-off, a cleanup's timer). The grip ends. */
  | { readonly write: "run.sleep"; readonly dueAt: string }
  /** Ends a cleanup run. The grip ends. */
  | { readonly write: "run.end" };

/** Who works. */
export interface WorkerLedger {
  registerWorker(worker: Pick<WorkerRecord, "id" | "machine" | "boot" | "pid" | "startTicks" | "planes">): Promise<void>;
  /** Called from a thread of its own, so that a busy event loop does not look like death. */
  beat(worker: string): Promise<void>;
  endWorker(worker: string): Promise<void>;
  listWorkers(filter: { readonly live: boolean }): Promise<readonly WorkerRecord[]>;
  /** Written before the host gets its first call. */
  recordHost(worker: string, host: HostProcess): Promise<void>;
  removeHost(worker: string, host: HostProcess): Promise<void>;
  hosts(worker: string): Promise<readonly HostProcess[]>;
}

import type {
  Finding,
  Ledger,
  LogStore,
  PluginRegistry,
  Queue,
  Scope,
  SourceStore,
  Clock,
  Dispatcher,
  SnapshotEntry,
} from "../ports/index.ts";
import type { Manifest } from "../domain/manifest.ts";
import type { ServiceChange } from "../domain/plan.ts";
import type { Metrics, ServerLogger } from "../telemetry/index.ts";
import type { Candidate, EnvironmentStatus, SweepReport } from "./documents.ts";

/** Everything that the API is given by the composition root. It opens nothing by itself but its port. */
export interface ApiDeps {
  readonly ledger: Ledger;
  readonly engine: EngineApi;
  readonly sources: SourceStore;
  readonly logs: LogStore;
  readonly dispatcher: Dispatcher;
  readonly plugins: PluginRegistry;
  readonly queue: Pick<Queue, "depth" | "backend">;
  readonly plane: PlaneHooks;
  readonly clock: Clock;
  readonly logger: ServerLogger;
  readonly metrics: Metrics;
  readonly settings: ApiSettings;
}

export interface ApiSettings {
  /** Host names besides loopback under which the API answers. */
  readonly allowedHosts: readonly string[];
  /** The largest source that is taken, bytes. */
  readonly maxSourceBytes: number;
}

/** Names that stand in a path. */
export interface EnvironmentNames {
  readonly project: string;
  readonly environment: string;
}

/** What the API asks of the engine. Everything else it reads from the ledger. */
export interface EngineApi {
  /** What a deploy would change, and what the policies say. Writes nothing. */
  plan(scope: Scope, input: PlanInput): Promise<PlanOutcome>;
  /** What is live and how it is. Observes. Rejects with `PROJECT_NOT_FOUND`, `ENVIRONMENT_NOT_FOUND`. */
  status(scope: Scope, names: EnvironmentNames): Promise<EnvironmentStatus>;
  /** Releases that a rollback can go to, newest first. */
  candidates(scope: Scope, names: EnvironmentNames): Promise<readonly Candidate[]>;
  /** What differs between the ledger and the world. Changes nothing. */
  sweep(scope: Scope): Promise<SweepReport>;
}

export interface PlanInput {
  readonly environment: string;
  readonly manifest: Manifest;
  /** The source's list of entries; its contents are not needed. */
  readonly entries: readonly SnapshotEntry[];
}

export interface PlanOutcome {
  readonly changes: readonly ServiceChange[];
  readonly findings: readonly Finding[];
  readonly allow: boolean;
}

/** The local plane, as the composition root runs it. A server without one says so by the processes it lists. */
export interface PlaneHooks {
  /** Starts the plugins' daemons and what was live. Safe to call again. */
  up(): Promise<void>;
  /** Stops applications and daemons. The caller stops the rest. */
  down(): Promise<void>;
  /** The plane's own processes. */
  processes(): Promise<readonly { readonly role: string; readonly pid: number }[]>;
}

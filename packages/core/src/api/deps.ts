import type { ManifestReader } from "../config/index.ts";
import type { Engine } from "../engine/index.ts";
import type {
  Clock,
  Dispatcher,
  Ledger,
  LogStore,
  PluginRegistry,
  PolicyCatalog,
  Queue,
  SecretStore,
  SourceStore,
} from "../ports/index.ts";
import type { Metrics, ServerLogger } from "../telemetry/index.ts";
import type { Names } from "./names.ts";

/** Everything that the API is given by the composition root. It opens nothing by itself but its port. */
export interface ApiDeps {
  readonly ledger: Ledger;
  readonly engine: EngineApi;
  readonly readManifest: ManifestReader;
  readonly sources: SourceStore;
  readonly logs: LogStore;
  readonly policies: PolicyCatalog;
  readonly secrets: SecretStore;
  readonly dispatcher: Dispatcher;
  readonly plugins: PluginRegistry;
  readonly queue: Pick<Queue, "depth" | "backend">;
  readonly plane: PlaneHooks;
  readonly clock: Clock;
  readonly logger: ServerLogger;
  readonly metrics: Metrics;
  readonly settings: ApiSettings;
}

/** What routes are given. */
export interface RouteDeps extends ApiDeps {
  readonly names: Names;
}

export interface ApiSettings {
  /** Host names besides loopback under which the API answers. */
  readonly allowedHosts: readonly string[];
  /** The largest source that is taken, bytes. */
  readonly maxSourceBytes: number;
}

/** What the API asks of the engine. Everything else it reads from the ledger. */
export type EngineApi = Pick<Engine, "plan" | "status" | "candidates" | "sweep">;

/** The local plane, as the composition root runs it. A server without one says so by the processes it lists. */
export interface PlaneHooks {
  /** Starts the plugins' daemons and what was live. Safe to call again. */
  up(): Promise<void>;
  /** Stops applications and daemons. The caller stops the rest. */
  down(): Promise<void>;
  /** The plane's own processes. */
  processes(): Promise<readonly { readonly role: string; readonly pid: number }[]>;
}

import type { Logger, Secret } from "@helixstack/sdk";
import type {
  ArtifactStore,
  Clock,
  Dispatcher,
  Ledger,
  LogStore,
  PluginRegistry,
  PolicyEngine,
  Scope,
  SecretReader,
  SourceStore,
} from "../ports/index.ts";

/** Everything that the engine is given. It opens nothing by itself. */
export interface EngineDeps {
  readonly ledger: Ledger;
  readonly sources: SourceStore;
  readonly artifacts: ArtifactStore;
  readonly logs: LogStore;
  readonly policy: PolicyEngine;
  readonly secrets: SecretReader;
  readonly dispatcher: Dispatcher;
  readonly plugins: PluginRegistry;
  readonly clock: Clock;
  readonly logger: Logger;
  /** An existing folder for work folders of builds. On the disk of the artifact store, so that a result is moved and not copied. */
  readonly temp: string;
  /** `linux/amd64` and the like: what builds are made for. */
  readonly platform: string;
  /** Answers `ctx.secret`: a plugin's own credentials. Absent: there are none. */
  readonly credential?: (scope: Scope, wanted: { readonly plugin: string; readonly name: string }) => Promise<Secret>;
}

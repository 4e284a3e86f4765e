import type { Identity, PlaneName, PluginManifest, Secret, SecretRef } from "@helixstack/sdk";
import type { StoredLine } from "./stores.ts";

/** An installed plugin, as its static manifest and the operator's configuration say. */
export interface InstalledPlugin {
  readonly manifest: PluginManifest;
  /** The folder of `helix-plugin.json`. */
  readonly folder: string;
  /** The configuration: validated, defaults filled in. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Digest of the plugin's files, for the release's provenance. */
  readonly digest: string;
}

/** The plugins of this installation. */
export interface PluginRegistry {
  list(): readonly InstalledPlugin[];
  /** Rejects with `PLUGIN_UNKNOWN`, saying which there are and which is meant. */
  get(plane: PlaneName, name: string): InstalledPlugin;
  /** Whether the plugin has an optional verb, `plane.verb`. */
  supports(name: string, capability: string): boolean;
}

/** One call of one verb. */
export interface PluginCall {
  readonly plane: PlaneName;
  readonly plugin: string;
  readonly verb: string;
  readonly identity: Identity;
  readonly operationId: string;
  readonly fence: number;
  readonly input: unknown;
  /** The version of the state in `input.prior`, as it is stored. An older one is upgraded first. Absent or null: the current one. */
  readonly stateVersion?: number | null;
  /** Milliseconds until the call is cancelled, then (2 s later) its host is killed and the call fails with `PLUGIN_HUNG`. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
  /** Answers `ctx.resolve` and `ctx.secret`. Absent: every secret is `FORBIDDEN`. */
  readonly secrets?: {
    readonly resolve?: (ref: SecretRef) => Promise<Secret>;
    readonly credential?: (name: string) => Promise<Secret>;
  };
  readonly onLog?: (line: Omit<StoredLine, "step">) => void;
  readonly onProgress?: (note: string) => void;
}

/**
 * The one road on which every verb is called, to a worker that has the plugin. Results are checked against the contract
 * (`PLUGIN_NONSENSE`); errors arrive as `EngineError` with plane and plugin named.
 */
export interface Dispatcher {
  call<T>(call: PluginCall): Promise<T>;
  /** For verbs that stream (`logs`). Ends when the plugin's iterable ends or the signal fires. */
  stream<T>(call: PluginCall): AsyncIterable<T>;
}

/** A process that runs plugin code, as written down before its first call, so that a successor can prove that it is dead. */
export interface HostProcess {
  readonly plugin: string;
  readonly pid: number;
  /** Start time of the process in clock ticks since boot: with the pid it names one process for good. */
  readonly startTicks: string;
}

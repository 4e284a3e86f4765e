import type { TSchema } from "typebox";
import type { Artifact, ArtifactKind } from "./artifact.ts";
import type { PluginContext } from "./context.ts";
import type { Endpoint, EndpointKind } from "./endpoint.ts";
import type { Owned } from "./identity.ts";
import type { Change, Fencing, ListInput, Stateful } from "./reconciler.ts";
import type { SecretRef } from "./secret.ts";

/**
 * Runs artifacts. A reconciler: each verb acts on the one revision of `ctx.identity` and never touches another; running a verb
 * twice leaves the world as running it once. Optional verbs are capabilities: absent means unsupported.
 */
export interface RuntimePlane<Config = any, State = any> extends Stateful<State> {
  /** The artifact kinds it can run. */
  readonly accepts: readonly ArtifactKind[];
  /** The kind of endpoint its revisions have. */
  readonly exposes: EndpointKind;
  /** Schema of the manifest's section of this runtime's name. Unknown keys are refused. */
  readonly spec: TSchema;
  /** How effects are kept from a stale owner. */
  readonly fencing: Fencing;

  /** Reads the live world; `null` when the revision is not there. Finds it with no `prior` too. Writes nothing. */
  readonly observe: (ctx: PluginContext<Config>, input: { readonly prior: State | null }) => Promise<ObservedRevision<State> | null>;
  /** Says what `apply` would do. Pure: no network, no clock. No changes means that `apply` would leave the world as it is. */
  readonly plan: (input: { readonly spec: RevisionSpec; readonly observed: ObservedRevision<State> | null }) => readonly Change[];
  /**
   * Makes the revision run as `spec` says: creates, repairs, thaws. Returns once it was started, not when it is healthy: the
   * engine verifies. Fails with `START_FAILED` (last lines in `logs`), `INVALID_SPEC`, `FOREIGN_RESOURCE`, `UNAVAILABLE`.
   */
  readonly apply: (
    ctx: PluginContext<Config>,
    input: { readonly spec: RevisionSpec; readonly prior: State | null },
  ) => Promise<ObservedRevision<State>>;
  /** Stops it (SIGTERM, then SIGKILL after `graceMs`) and removes all it made but volumes. Gone already is success. */
  readonly destroy: (ctx: PluginContext<Config>, input: { readonly prior: State | null; readonly graceMs: number }) => Promise<void>;
  /** Everything in the provider's world that carries this installation's tag, remembered or not. */
  readonly list: (ctx: PluginContext<Config>, input: ListInput) => Promise<readonly Owned[]>;

  /**
   * Takes a running revision out of work without removing it. `freeze`: it stops executing at once and `apply` thaws it in milliseconds.
   * `stop`: its processes end gracefully (within `graceMs`) and `apply` starts it again.
   */
  readonly suspend?: (
    ctx: PluginContext<Config>,
    input: { readonly prior: State | null; readonly how: "freeze" | "stop"; readonly graceMs: number },
  ) => Promise<ObservedRevision<State>>;
  /** Log lines in order, with a cursor to resume from. Ends at the last line, or follows until `ctx.signal`. */
  readonly logs?: (ctx: PluginContext<Config>, input: LogsInput<State>) => AsyncIterable<LogLine>;
  /**
   * Runs one command to its end in the surroundings of the revision (artifact, environment, volumes), without starting the revision itself.
   * A process of its own, which is gone when this returns. Not retried by the engine. The call's abort ends the process.
   */
  readonly run?: (ctx: PluginContext<Config>, input: RunInput) => Promise<RunResult>;
  /** The host name or IP address under which a revision reaches services on this machine's router. Absent: `127.0.0.1`. */
  readonly hostAddress?: (ctx: PluginContext<Config>) => Promise<{ readonly address: string }>;
  /** Makes the volume of `ctx.identity.unit` or finds it. Data that is there is kept. */
  readonly ensureVolume?: (ctx: PluginContext<Config>, input: { readonly name: string }) => Promise<VolumeHandle>;
  /** Removes a volume and its data. Gone already is success. */
  readonly destroyVolume?: (ctx: PluginContext<Config>, input: { readonly handle: VolumeHandle }) => Promise<void>;
}

/** What one revision shall be. The engine fills it in; all defaults are resolved. */
export interface RevisionSpec {
  readonly artifact: Artifact;
  /** Replaces the artifact's own start command, as an argument list; null keeps it. */
  readonly command: readonly string[] | null;
  /** Plain environment. The runtime adds `PORT`, `DATA_DIR` and `HELIX_VOLUME_<NAME>`. */
  readonly env: Readonly<Record<string, string>>;
  /** Secrets, by reference. Each is a file of its name in the folder `SECRETS_DIR`; `env`: an environment variable as well. */
  readonly secrets: readonly { readonly ref: SecretRef; readonly as: "env" | "file" }[];
  readonly volumes: readonly VolumeMount[];
  readonly filesystem: "writable" | "read-only";
  /** Instances that run side by side; each has an endpoint of its own. At least 1. */
  readonly replicas: number;
  readonly resources: {
    /** Memory limit of one instance in bytes; null for none. */
    readonly memoryBytes: number | null;
    /** Processor limit of one instance in cores; null for none. */
    readonly cpu: number | null;
  };
  /** Time between SIGTERM and SIGKILL, milliseconds. */
  readonly graceMs: number;
  /** The manifest's section of this runtime's name, checked against {@link RuntimePlane.spec}. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** A volume as a revision sees it. */
export interface VolumeMount {
  readonly name: string;
  readonly handle: VolumeHandle;
  /** Where it is mounted, for runtimes that mount. `DATA_DIR` or `HELIX_VOLUME_<NAME>` names the folder on all of them. */
  readonly path: string;
  readonly writers: "single" | "many";
}

/** Where a volume is. `host-path` volumes can be shared by every runtime of one machine. */
export interface VolumeHandle {
  readonly kind: string;
  /** The provider's id; for `host-path` the absolute folder. */
  readonly id: string;
}

/** A revision as it is in the world just now. */
export interface ObservedRevision<State = unknown> {
  /** What the plugin wants back as `prior`. Plain JSON, no secrets, at most 64 KiB. */
  readonly state: State;
  readonly phase: RevisionPhase;
  /** One endpoint an instance that runs, in order. */
  readonly endpoints: readonly Endpoint[];
  readonly instances: readonly ObservedInstance[];
  /** Digest of the {@link RevisionSpec} it was applied with, as {@link specDigest} computes it; null if unknown. */
  readonly specDigest: string | null;
}

/** `running`: all instances run; `degraded`: some do; `frozen`, `stopped`: suspended; `exited`: none runs and that was not asked for. */
export type RevisionPhase = "running" | "degraded" | "frozen" | "stopped" | "exited";

/** One instance of a revision. */
export interface ObservedInstance {
  readonly phase: "running" | "frozen" | "stopped" | "exited" | "backing-off";
  /** Restarts after an unexpected end since it was applied. */
  readonly restarts: number;
  /** How it ended last; null while it never did. A signal stands as `128 + number`; null as code means not known. */
  readonly lastExit: { readonly code: number | null; readonly at: string } | null;
  /** Bytes of resident memory, if the provider says. */
  readonly memoryBytes: number | null;
  /** Seconds of processor time used, if the provider says. */
  readonly cpuSeconds: number | null;
}

export interface LogsInput<State> {
  readonly prior: State | null;
  /** Stay and deliver what comes. */
  readonly follow: boolean;
  /** Lines before now; null for all that is kept. Not together with `after`. */
  readonly tail: number | null;
  /** Deliver what comes after this cursor; null from the start (or `tail`). */
  readonly after: string | null;
}

export interface LogLine {
  /** Opaque; grows; fit for {@link LogsInput.after}. */
  readonly cursor: string;
  /** ISO 8601, when the line was written. */
  readonly at: string;
  readonly stream: "stdout" | "stderr";
  /** Zero-based instance. */
  readonly instance: number;
  readonly text: string;
}

export interface RunInput {
  readonly spec: RevisionSpec;
  readonly name: string;
  readonly command: readonly string[];
}

export interface RunResult {
  readonly exitCode: number;
  /** Last lines of output, oldest first, at most 100. The whole output goes to `ctx.log`. */
  readonly logs: readonly string[];
}

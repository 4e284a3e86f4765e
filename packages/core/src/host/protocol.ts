import type { Identity, LogFields, PlaneName, PluginManifest } from "@helixstack/sdk";

/**
 * What the engine and a plugin host say to each other: one JSON value a line over the host's file descriptor 3. Imported by both sides, so it
 * holds types and numbers only.
 */

/** The longest message, both ways, in bytes. What is larger goes by file. */
export const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

/** How long a cancelled call may take to settle. After that its host is killed. */
export const CANCEL_GRACE_MS = 2_000;

/** How many messages of a stream's items may be on their way without having been taken. Each has the items of one turn of the plugin's event loop. */
export const STREAM_WINDOW = 4;

/** One call, as the host gets it. */
export interface CallMessage {
  readonly type: "call";
  readonly id: number;
  readonly plane: PlaneName;
  readonly verb: string;
  readonly identity: Identity;
  readonly operationId: string;
  readonly fence: number;
  readonly workdir: string;
  readonly input: unknown;
  /** The version of `input.prior`; null when it is the current one. */
  readonly stateVersion: number | null;
  /** Messages with items that a streaming verb may send before it must wait for `credit`; null for verbs that do not stream. */
  readonly credit: number | null;
}

/** Answers a {@link SecretRequest}. Never logged, never recorded. */
export interface SecretAnswer {
  readonly type: "secret";
  readonly id: number;
  readonly request: number;
  readonly value?: string;
  readonly error?: WireError;
}

export type ToHost =
  | { readonly type: "start"; readonly entry: string; readonly home: string; readonly config: Readonly<Record<string, unknown>> }
  | CallMessage
  | { readonly type: "cancel"; readonly id: number }
  | { readonly type: "credit"; readonly id: number; readonly messages: number }
  | SecretAnswer;

/** Asks for a credential of the plugin, or for a secret of the application. */
export interface SecretRequest {
  readonly type: "secret";
  readonly id: number;
  readonly request: number;
  readonly kind: "credential" | "application";
  readonly name: string;
  readonly version: string;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

export type FromHost =
  | { readonly type: "hello"; readonly manifest: PluginManifest }
  | { readonly type: "unusable"; readonly message: string }
  | { readonly type: "log"; readonly id: number; readonly level: LogLevel; readonly text: string; readonly fields?: LogFields }
  | { readonly type: "progress"; readonly id: number; readonly note: string }
  | SecretRequest
  | { readonly type: "result"; readonly id: number; readonly value: unknown }
  | { readonly type: "items"; readonly id: number; readonly values: readonly unknown[] }
  | { readonly type: "error"; readonly id: number; readonly error: WireError };

/** An error on the pipe: a `PluginError`, flattened. */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly retryable?: boolean;
  readonly logs?: readonly string[];
  readonly details?: Readonly<Record<string, unknown>>;
}

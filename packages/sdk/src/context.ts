import type { Identity } from "./identity.ts";
import type { Secret, SecretRef } from "./secret.ts";

/** Writes to the deployment's log. One call is one line; values are plain JSON and never secrets. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Fields beside a log message. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * All that a plugin may touch during one call. No `process.env`, no console, no engine: what is not here is not the plugin's
 * business.
 */
export interface PluginContext<Config = unknown> {
  /** The plugin's configuration: validated, defaults filled in, frozen. */
  readonly config: Readonly<Config>;
  /** Whose thing the call is about. */
  readonly identity: Identity;
  /** The same for every attempt of one operation; different for any other. Fit for a vendor's idempotency key. */
  readonly operationId: string;
  /** Grows with each takeover of the work. An effect with a lower fence than one already seen must be refused (`STALE_FENCE`). */
  readonly fence: number;
  /** Fires on cancel and on the deadline. Settle within two seconds after it. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Says what the call does just now: one short line, shown beside the step. */
  progress(note: string): void;
  /** A credential of the plugin itself, by a name in its `permissions.secrets`. Throws `FORBIDDEN` for another. */
  secret(name: string): Promise<Secret>;
  /** A secret of the application, by a reference in this call's spec. Throws `FORBIDDEN` for another. */
  resolve(ref: SecretRef): Promise<Secret>;
  /** An empty folder for this call, removed after it. */
  readonly workdir: string;
  /** A folder of this plugin in this installation, kept between calls. */
  readonly home: string;
}

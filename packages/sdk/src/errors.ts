/**
 * The errors a plugin may raise: a stable code, whether the engine may try the call again, and a hint for the person who reads it.
 * Plugins classify, only the engine retries. A code never changes its meaning and is never used again for something else.
 */
export const PLUGIN_ERRORS = {
  INVALID_SPEC: row("The provider cannot take this specification.", false, "Change the named field in helix.yaml."),
  INVALID_CONFIG: row("The provider's configuration is wrong.", false, "Correct the plugin's configuration on the server."),
  SOURCE_UNFIT: row(
    "The source is not something this builder can build.",
    false,
    "Name another `build`, or add what the message says is missing.",
  ),
  BUILD_FAILED: row("The build failed.", false, "Read the build's last lines; run the same command locally."),
  START_FAILED: row("The application did not start.", false, "Read the application's last log lines."),
  TASK_FAILED: row("A task ended with an error.", false, "Read the task's last lines. What it changed in data stays."),
  UNAUTHENTICATED: row("The provider does not accept the credentials.", false, "Renew the credentials of this plugin."),
  FORBIDDEN: row("The provider refuses this call.", false, "Give the plugin's credentials the named permission."),
  NOT_FOUND: row("The provider does not have what was asked for.", false, "It may have been removed by hand: deploy again."),
  CONFLICT: row("Something else holds this name or changed it at the same time.", true, "Look at who else works on it."),
  FOREIGN_RESOURCE: row(
    "A thing of this name exists and is not ours.",
    false,
    "Rename or remove the other thing; HelixStack never takes over what it did not make.",
  ),
  STALE_FENCE: row("A newer owner has taken over this operation.", false, "Nothing to do: the newer owner finishes the work."),
  RATE_LIMITED: row("The provider asks for fewer calls.", true, "Wait; the engine tries again by itself."),
  UNAVAILABLE: row("The provider cannot be reached.", true, "Start it, or check the address in the plugin's configuration."),
  DISK_FULL: row("There is no space left on the disk.", false, "Free space, then try again."),
  LIMIT_EXCEEDED: row("A limit was reached.", false, "Raise the named limit, or ask for less."),
  UNSUPPORTED: row("The provider cannot do this.", false, "Use a provider with this capability (`helix doctor` lists them)."),
  ABORTED: row("The call was cancelled.", false, "Nothing to do, if you cancelled it."),
  INTERNAL: row("The plugin failed in a way it did not expect.", false, "Report it to the plugin's author with the details shown."),
} as const satisfies Record<string, ErrorRow>;

/** One row of the error table. */
export interface ErrorRow {
  /** What happened, as one sentence that stands alone. */
  readonly sentence: string;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  /** What the reader should do next. */
  readonly hint: string;
}

/** A code of {@link PLUGIN_ERRORS}. */
export type PluginErrorCode = keyof typeof PLUGIN_ERRORS;

/** What a {@link PluginError} carries besides its code and message. */
export interface PluginErrorOptions {
  /** Replaces the table's hint where the plugin knows better. */
  readonly hint?: string;
  /** Replaces the table's `retryable` where the plugin knows better. */
  readonly retryable?: boolean;
  /** The last lines of the output that explain the failure, oldest first. Never secrets. */
  readonly logs?: readonly string[];
  /** Plain JSON for the deployment record. Never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * The one error type of a plugin.
 *
 * @example
 * throw new PluginError("UNAVAILABLE", "the Docker Engine at /var/run/docker.sock does not answer", { cause: error });
 */
export class PluginError extends Error {
  override readonly name = "PluginError";
  readonly code: PluginErrorCode;
  readonly hint: string;
  readonly retryable: boolean;
  readonly logs: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: PluginErrorCode, message: string, options: PluginErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? PLUGIN_ERRORS[code].hint;
    this.retryable = options.retryable ?? PLUGIN_ERRORS[code].retryable;
    this.logs = options.logs ?? [];
    this.details = options.details ?? {};
  }
}

/** True for a {@link PluginError}, also one made by another copy of this package. */
export function isPluginError(value: unknown): value is PluginError {
  return value instanceof Error && value.name === "PluginError" && "code" in value && String(value.code) in PLUGIN_ERRORS;
}

function row(sentence: string, retryable: boolean, hint: string): ErrorRow {
  return { sentence, retryable, hint };
}

import { PLUGIN_ERRORS, isPluginError, type ErrorRow, type PluginErrorCode } from "@helixstack/sdk";

/** Exit codes of `helix`, by meaning. */
export const EXIT = {
  ok: 0,
  general: 1,
  usage: 2,
  auth: 3,
  step: 4,
  policy: 5,
  notFound: 6,
  cancelled: 8,
  timeout: 9,
  bug: 255,
  detach: 130,
} as const;

/** An {@link ErrorRow} with how the two public faces show it. */
export interface EngineErrorRow extends ErrorRow {
  /** Exit code of the CLI. */
  readonly exit: number;
  /** HTTP status of the API. */
  readonly status: number;
}

/** The engine's own errors. Together with the SDK's table these are all the codes there are; `docs/errors.md` is made of both. */
export const ENGINE_ERRORS = {
  USAGE: engineRow("The command or request is not well formed.", EXIT.usage, 400, "Run the command with --help."),
  CONFIRMATION_NEEDED: engineRow("This needs a yes, and nobody can be asked.", EXIT.usage, 400, "Add --yes."),
  MANIFEST_NOT_FOUND: engineRow("There is no helix.yaml here.", EXIT.usage, 400, "Run `helix init`, or go to the folder that has it."),
  MANIFEST_INVALID: engineRow("helix.yaml is not valid.", EXIT.usage, 422, "Correct the place that the message names."),
  SOURCE_INVALID: engineRow("The source cannot be taken.", EXIT.usage, 422, "Remove or correct the named file."),
  SOURCE_UNREADABLE: engineRow(
    "A file or folder of the source cannot be read.",
    EXIT.usage,
    422,
    "Correct its permissions, or list it in .helixignore.",
  ),
  SOURCE_TOO_LARGE: engineRow("The source is larger than the server takes.", EXIT.usage, 413, "List what is not needed in .helixignore."),
  SNAPSHOT_INCOMPLETE: engineRow(
    "Files of the snapshot were not uploaded.",
    EXIT.general,
    409,
    "Upload the missing files, then try again.",
  ),
  CHAIN_UNFIT: engineRow("The chosen plugins do not fit together.", EXIT.usage, 422, "Choose another build, runtime or delivery."),
  PLUGIN_UNKNOWN: engineRow("No plugin of this name is installed.", EXIT.usage, 422, "Run `helix doctor` to see the installed plugins."),
  PLUGIN_INVALID: engineRow("A plugin cannot be used.", EXIT.general, 500, "Reinstall it, or report it to its author."),
  PLUGIN_CRASHED: engineRow(
    "The plugin's process ended in the middle of the call.",
    EXIT.step,
    500,
    "Try again; report it to the plugin's author if it stays.",
    true,
  ),
  PLUGIN_HUNG: engineRow(
    "The plugin did not answer in time.",
    EXIT.step,
    504,
    "Try again; report it to the plugin's author if it stays.",
    true,
  ),
  PLUGIN_NONSENSE: engineRow(
    "The plugin answered something that its contract does not allow.",
    EXIT.step,
    500,
    "Report it to the plugin's author.",
  ),
  TOKEN_MISSING: engineRow("The control plane needs a token.", EXIT.auth, 401, "Set HELIX_TOKEN."),
  TOKEN_INVALID: engineRow("The token is not valid.", EXIT.auth, 401, "Make another with `helix token create`."),
  PROJECT_NOT_FOUND: engineRow("There is no such project.", EXIT.notFound, 404, "Run `helix ls`."),
  ENVIRONMENT_NOT_FOUND: engineRow("There is no such environment.", EXIT.notFound, 404, "Run `helix ls`."),
  SERVICE_NOT_FOUND: engineRow("There is no such service.", EXIT.notFound, 404, "Run `helix status`."),
  DEPLOYMENT_NOT_FOUND: engineRow("There is no such deployment.", EXIT.notFound, 404, "Run `helix ls`."),
  RELEASE_NOT_FOUND: engineRow("There is no such release.", EXIT.notFound, 404, "Run `helix rollback` to see the candidates."),
  ROUTE_NOT_FOUND: engineRow("The API has no such path.", EXIT.notFound, 404, "See schemas/openapi.json."),
  TOKEN_NOT_FOUND: engineRow("There is no such token.", EXIT.notFound, 404, "Run `helix token ls`."),
  ERROR_NOT_FOUND: engineRow("There is no such error code.", EXIT.notFound, 404, "See docs/errors.md."),
  ARTIFACT_GONE: engineRow("An artifact of the release is not there any more.", EXIT.step, 409, "Deploy the source again."),
  IDEMPOTENCY_MISMATCH: engineRow("The Idempotency-Key was used for another request.", EXIT.usage, 422, "Use a new key for a new request."),
  DEPLOYMENT_ENDED: engineRow("The deployment has ended already.", EXIT.general, 409, "Run `helix status`."),
  HEALTH_FAILED: engineRow("The service never became healthy.", EXIT.step, 500, "Read its last log lines; see that it listens on PORT."),
  TASK_UNKNOWN_END: engineRow(
    "The worker died while a task ran; how the task ended is not known.",
    EXIT.step,
    500,
    "Look at what it changed in data, then deploy again.",
  ),
  QUARANTINED: engineRow(
    "A step killed its worker again and again.",
    EXIT.step,
    500,
    "Read the worker's log, correct the cause, deploy again.",
  ),
  RESTORED: engineRow(
    "The deployment was under way when the backup was taken that was restored.",
    EXIT.step,
    409,
    "Run `helix doctor` to see what is newer than the backup, then deploy again.",
  ),
  SECRET_MISSING: engineRow("A secret that the manifest lists has no value.", EXIT.usage, 422, "Run `helix secrets set NAME`."),
  SECRET_STORE_DOWN: engineRow("The secret store does not answer.", EXIT.general, 503, "Start it, then try again.", true),
  SECRET_STORE_DENIED: engineRow(
    "The secret store refuses the control plane.",
    EXIT.general,
    502,
    "Give the control plane a valid credential: `helix secrets setup-vault`.",
  ),
  SECRET_NOT_FOUND: engineRow("There is no such secret.", EXIT.notFound, 404, "Run `helix secrets ls`."),
  SECRET_CHANGED: engineRow("Somebody else changed the secret meanwhile.", EXIT.general, 409, "Run `helix secrets ls`, then try again."),
  SECRET_INVALID: engineRow("The secret's name or value cannot be one.", EXIT.usage, 422, "See docs/secrets.md."),
  SCOPE_FORBIDDEN: engineRow("This is outside of what the caller may reach.", EXIT.auth, 403, "Use a token of that project."),
  POLICY_DENIED: engineRow("A policy refuses this deployment.", EXIT.policy, 403, "Apply the fix of each finding."),
  POLICY_UNAVAILABLE: engineRow(
    "The policies could not be asked, so nothing is allowed.",
    EXIT.policy,
    503,
    "Correct the policy bundle, then try again.",
  ),
  OPA_MISSING: engineRow(
    "The program `opa` is not here.",
    EXIT.general,
    500,
    "Run `go install github.com/open-policy-agent/opa@v1.22.0`, or name the program in HELIX_OPA.",
  ),
  POLICY_INVALID: engineRow("The policy does not compile.", EXIT.usage, 422, "Correct the place that the message names."),
  POLICY_TESTS_FAILED: engineRow("Tests of the policy failed.", EXIT.general, 422, "Correct the rule or the test."),
  CANCELLED: engineRow("The deployment was cancelled.", EXIT.cancelled, 409, "Nothing to do, if you cancelled it."),
  SUPERSEDED: engineRow("A newer deployment took this one's place.", EXIT.cancelled, 409, "Look at the newer one."),
  DEADLINE_PASSED: engineRow("The deployment's deadline passed.", EXIT.timeout, 504, "See which step took so long; raise --timeout."),
  WAIT_TIMEOUT: engineRow("The wait is over; the deployment goes on.", EXIT.timeout, 504, "Run `helix status --wait`."),
  DETACHED: engineRow("You stopped waiting; what was asked for goes on.", EXIT.detach, 499, "Run `helix status --wait` to go on waiting."),
  PLANE_DOWN: engineRow("The local plane is not running.", EXIT.general, 503, "Run `helix server` or `helix deploy`."),
  PLANE_FAILED: engineRow("The local plane could not be started.", EXIT.general, 500, "Run `helix doctor`."),
  DATABASE_DOWN: engineRow("The database does not answer.", EXIT.general, 503, "Start it; nothing is lost.", true),
  BUSY: engineRow("The control plane has too much to do just now.", EXIT.general, 503, "Try again in a moment.", true),
  BUG: engineRow("This should not have happened.", EXIT.bug, 500, "Report it with the details shown."),
} as const satisfies Record<string, EngineErrorRow>;

export type EngineErrorCode = keyof typeof ENGINE_ERRORS;
export type ErrorCode = EngineErrorCode | PluginErrorCode;

/** What the API and `--json` show of an error. */
export interface ErrorDocument {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly plane?: string;
  /** `name@version`. */
  readonly plugin?: string;
  readonly step?: string;
  readonly logs?: readonly string[];
  readonly findings?: readonly unknown[];
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What an {@link EngineError} carries besides its code and message. */
export interface EngineErrorOptions {
  readonly hint?: string | undefined;
  readonly plane?: string | undefined;
  readonly plugin?: string | undefined;
  readonly step?: string | undefined;
  readonly logs?: readonly string[] | undefined;
  readonly findings?: readonly unknown[] | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly retryable?: boolean | undefined;
  readonly cause?: unknown;
}

/** The one error type of the engine. A plugin's error becomes one when it leaves the plugin host, with its code kept. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly options: EngineErrorOptions;

  constructor(code: ErrorCode, message: string, options: EngineErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.options = options;
    this.retryable = options.retryable ?? errorRow(code).retryable;
  }

  /** The same error, saying where it happened. What it says already is kept. */
  at(place: { plane?: string; plugin?: string; step?: string }): EngineError {
    return new EngineError(this.code, this.message, { ...place, ...definedOnly(this.options), cause: this.options.cause ?? this });
  }

  toDocument(): ErrorDocument {
    const { hint, plane, plugin, step, logs, findings, details } = this.options;
    return {
      code: this.code,
      message: this.message,
      hint: hint ?? errorRow(this.code).hint,
      ...definedOnly({ plane, plugin, step, logs, findings, details }),
    };
  }
}

/** HTTP status of a plugin's error, where a client can make something of it. */
const PLUGIN_STATUS: Readonly<Partial<Record<PluginErrorCode, number>>> = {
  CONFLICT: 409,
  RATE_LIMITED: 503,
  UNAVAILABLE: 503,
  UNSUPPORTED: 422,
  DISK_FULL: 507,
};

/** The row of any code, the SDK's codes included: a step that failed in a plugin exits 4. */
export function errorRow(code: ErrorCode): EngineErrorRow {
  if (code in ENGINE_ERRORS) return ENGINE_ERRORS[code as EngineErrorCode];
  return { ...PLUGIN_ERRORS[code as PluginErrorCode], exit: EXIT.step, status: PLUGIN_STATUS[code as PluginErrorCode] ?? 500 };
}

/** Any thrown value as an {@link EngineError}; what is not known is a `BUG` and keeps its cause. */
export function toEngineError(thrown: unknown): EngineError {
  if (thrown instanceof EngineError) return thrown;
  if (isPluginError(thrown)) {
    const { code, message, hint, retryable, logs, details } = thrown;
    return new EngineError(code, message, { hint, retryable, logs, details, cause: thrown });
  }
  return new EngineError("BUG", thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
}

function engineRow(sentence: string, exit: number, status: number, hint: string, retryable = false): EngineErrorRow {
  return { sentence, exit, status, hint, retryable };
}

function definedOnly<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as never;
}

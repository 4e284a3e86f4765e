import { PluginError, type PluginErrorCode, isPluginError } from "@helixstack/sdk";

/** What the Docker Engine answered, as a row of the error table. `what` stands in front of the message. */
export function toFailure(thrown: unknown, what: string): PluginError {
  if (isPluginError(thrown)) return thrown;
  const { status, code, message } = facts(thrown);
  if (code === "EACCES") {
    return new PluginError("FORBIDDEN", `${what}: this user may not use the Docker Engine's socket`, {
      hint: "Add the user that runs HelixStack to the group `docker`, or choose `build: node` or `build: static`.",
      cause: thrown,
    });
  }
  if (isDiskFull(message)) return new PluginError("DISK_FULL", `${what}: ${message}`, { cause: thrown });
  if (code !== undefined && UNREACHABLE.has(code)) {
    return new PluginError("UNAVAILABLE", `${what}: the Docker Engine does not answer (${message})`, {
      hint: "Start it (`systemctl start docker`, or `dockerd`), or choose `build: node` or `build: static`.",
      cause: thrown,
    });
  }
  return new PluginError(codeOf(status), `${what}: ${message}`, { cause: thrown, details: { status: status ?? null } });
}

/** The same for a call that may have been cancelled: then the broken connection is no failure of the engine. */
export function toFailureOrAbort(thrown: unknown, { what, signal }: { readonly what: string; readonly signal: AbortSignal }): PluginError {
  if (signal.aborted) return new PluginError("ABORTED", `${what}: cancelled`, { cause: thrown });
  return toFailure(thrown, what);
}

/** What to do about what a failed build says. The first that fits is told. */
const HINTS: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [
    /pull access denied|manifest (for .* not found|unknown)|repository does not exist|dial tcp|no such host|request canceled/,
    "The base image is not on this Docker Engine and could not be pulled: check its name, or pull it by hand.",
  ],
  [
    /requires BuildKit|--mount/,
    "This build uses BuildKit's own syntax. It is used where the manifest gives the build a secret (`as: build`); else write it without.",
  ],
  [/(COPY|ADD) failed/, "See that the file is in the service's `source`, and that .dockerignore does not leave it out."],
  [/failed to reach build target/, "Correct `dockerfile.target`: it must be the name of a stage."],
];

/** The error of a build that the engine took and that failed. */
export function buildFailed(message: string, logs: readonly string[]): PluginError {
  if (isDiskFull(message) || logs.some(isDiskFull))
    return new PluginError("DISK_FULL", `the image build found the disk full: ${message}`, { logs });
  const hint = HINTS.find(([pattern]) => pattern.test(message))?.[1];
  return new PluginError("BUILD_FAILED", `the image could not be built: ${message}`, { logs, ...(hint !== undefined && { hint }) });
}

/** The HTTP status of an engine's answer, if it is one. */
export function statusOf(thrown: unknown): number | undefined {
  return facts(thrown).status;
}

/** The engine's own words. */
export function messageOf(thrown: unknown): string {
  return facts(thrown).message;
}

const UNREACHABLE = new Set(["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT"]);
const CODES: Readonly<Record<number, PluginErrorCode>> = { 401: "UNAUTHENTICATED", 403: "FORBIDDEN", 404: "NOT_FOUND", 409: "CONFLICT" };

function codeOf(status: number | undefined): PluginErrorCode {
  if (status === undefined) return "INTERNAL";
  return CODES[status] ?? "UNAVAILABLE";
}

function isDiskFull(line: string): boolean {
  return /no space left on device/i.test(line);
}

interface Facts {
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly message: string;
}

function facts(thrown: unknown): Facts {
  if (!(thrown instanceof Error)) return { status: undefined, code: undefined, message: String(thrown) };
  const { statusCode, code, json } = thrown as Error & { statusCode?: number; code?: string; json?: { message?: string } | null };
  return { status: statusCode, code, message: json?.message ?? thrown.message };
}

import { PluginError, isPluginError, type PluginErrorCode } from "@helixstack/sdk";

/** What the Docker Engine answered, as a row of the error table. */
export function toFailure(thrown: unknown, what: string): PluginError {
  if (isPluginError(thrown)) return thrown;
  const { statusCode, code, message } = facts(thrown);
  if (code === "ENOENT" || code === "ECONNREFUSED" || code === "ECONNRESET" || code === "EPIPE") return unavailable(what, message, thrown);
  if (code === "EACCES") {
    return new PluginError("FORBIDDEN", `${what}: this user may not use the Docker Engine's socket`, {
      hint: "Add the user that runs HelixStack to the group `docker`, or run HelixStack as root.",
      cause: thrown,
    });
  }
  if (/no space left on device/i.test(message)) return new PluginError("DISK_FULL", `${what}: ${message}`, { cause: thrown });
  return new PluginError(codeOf(statusCode), `${what}: ${message}`, { cause: thrown, details: { statusCode: statusCode ?? null } });
}

/** The HTTP status of an engine's answer, if it is one. */
export function statusOf(thrown: unknown): number | undefined {
  return facts(thrown).statusCode;
}

function codeOf(status: number | undefined): PluginErrorCode {
  if (status === 400) return "INVALID_SPEC";
  if (status === 401) return "UNAUTHENTICATED";
  if (status === 403) return "FORBIDDEN";
  if (status === 404) return "NOT_FOUND";
  if (status === 409) return "CONFLICT";
  if (status === 429) return "RATE_LIMITED";
  return status === undefined ? "INTERNAL" : "UNAVAILABLE";
}

function unavailable(what: string, message: string, cause: unknown): PluginError {
  return new PluginError("UNAVAILABLE", `${what}: the Docker Engine does not answer (${message})`, {
    hint: "Start it (`systemctl start docker`, or `dockerd`), or choose `runtime: process`.",
    cause,
  });
}

function facts(thrown: unknown): { statusCode?: number; code?: string; message: string } {
  if (!(thrown instanceof Error)) return { message: String(thrown) };
  const { statusCode, code, json } = thrown as Error & { statusCode?: number; code?: string; json?: { message?: string } | null };
  return {
    message: typeof json === "object" && json?.message ? json.message : thrown.message,
    ...(statusCode !== undefined && { statusCode }),
    ...(code !== undefined && { code }),
  };
}

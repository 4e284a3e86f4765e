import { PluginError, type PluginErrorCode, isPluginError } from "@helixstack/sdk";

const SUPERVISOR_CODES: Readonly<Record<string, PluginErrorCode>> = {
  INVALID_UNIT: "INVALID_SPEC",
  NOT_FOUND: "NOT_FOUND",
  STALE_FENCE: "STALE_FENCE",
  DISK_FULL: "DISK_FULL",
  SHUTTING_DOWN: "UNAVAILABLE",
  UNAVAILABLE: "UNAVAILABLE",
  TIMEOUT: "UNAVAILABLE",
};

const SYSTEM_CODES: Readonly<Record<string, PluginErrorCode>> = {
  ENOSPC: "DISK_FULL",
  EDQUOT: "DISK_FULL",
  EACCES: "FORBIDDEN",
  EPERM: "FORBIDDEN",
  EMFILE: "LIMIT_EXCEEDED",
  ENFILE: "LIMIT_EXCEEDED",
};

/** What the supervisor or the system answered, as a row of the error table. `what`: the thing that was being done. */
export function toFailure(thrown: unknown, what: string): PluginError {
  if (isPluginError(thrown)) return thrown;
  const {
    name,
    code = "",
    message,
  } = thrown instanceof Error ? (thrown as Error & { code?: string }) : { name: "", message: String(thrown) };
  const known = name === "SupervisorError" ? SUPERVISOR_CODES[code] : SYSTEM_CODES[code];
  if (known === "UNAVAILABLE") return unavailable(`${what}: ${message}`, thrown);
  return new PluginError(known ?? "INTERNAL", `${what}: ${message}`, { cause: thrown });
}

/** Runs something and turns what it throws into a {@link PluginError}. */
export async function attempt<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw toFailure(error, what);
  }
}

function unavailable(message: string, cause: unknown): PluginError {
  return new PluginError("UNAVAILABLE", message, {
    hint: "The local plane brings its supervisor back by itself; `helix server` starts it.",
    cause,
  });
}

import { PluginError, isPluginError } from "@helixstack/sdk";

/** An order that never got an answer. */
export function unreachable(socket: string, cause: unknown): PluginError {
  const why = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
  return new PluginError("UNAVAILABLE", `HAProxy does not answer at ${socket}${why}`, {
    hint: "The supervisor brings it back by itself; `helix status` shows whether it runs. Routes go on as they are on disk.",
    cause,
  });
}

/** HAProxy understood a command and did not do it. */
export function refused(command: string, answer: string): PluginError {
  return new PluginError("INTERNAL", `HAProxy answered "${answer}" to "${command}"`);
}

/** True when HAProxy was not there, as against there and refusing. */
export function isUnreachable(error: unknown): boolean {
  return isPluginError(error) && error.code === "UNAVAILABLE";
}

/** What the supervisor or the system answered. `what`: the thing that was being done. */
export function toFailure(thrown: unknown, what: string): PluginError {
  if (isPluginError(thrown)) return thrown;
  const { name, code, message } = thrown as Error & { code?: string };
  const isAway = name === "SupervisorError" && /^(UNAVAILABLE|SHUTTING_DOWN|TIMEOUT)$/.test(code ?? "");
  return new PluginError(isAway ? "UNAVAILABLE" : code === "ENOSPC" ? "DISK_FULL" : "INTERNAL", `${what}: ${message}`, { cause: thrown });
}

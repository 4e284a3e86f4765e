import { PLUGIN_ERRORS, PluginError, type PluginErrorCode } from "@helixstack/sdk";

/** What the data plane answers when it refuses an order. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** An order that the data plane refused. */
export function refused({ code, message, hint }: Refusal): PluginError {
  const known: PluginErrorCode = code in PLUGIN_ERRORS ? (code as PluginErrorCode) : "INTERNAL";
  return new PluginError(known, `router: ${message}`, hint === undefined ? {} : { hint });
}

/** An order that never got an answer. */
export function unreachable(socket: string, cause: unknown): PluginError {
  if (cause instanceof Error && cause.name === "AbortError")
    return new PluginError("ABORTED", "the call to the router was cancelled", { cause });
  const why = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
  return new PluginError("UNAVAILABLE", `the router's data plane does not answer at ${socket}${why}`, {
    hint: "The supervisor brings it back by itself; `helix status` shows whether it runs. Routes go on as they are on disk.",
    cause,
  });
}

/** True when the data plane was not there, as against there and refusing. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof PluginError && error.code === "UNAVAILABLE";
}

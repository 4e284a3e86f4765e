import { PLUGIN_ERRORS, isPluginError } from "@helixstack/sdk";
import type { WireError } from "../protocol.ts";

/** Any thrown value for the pipe. What is no `PluginError` is `INTERNAL`, with its message and the top of its stack. */
export function toWireError(thrown: unknown, aborted: boolean): WireError {
  if (isPluginError(thrown)) {
    const { code, message, hint, retryable, logs, details } = thrown;
    return { code, message, hint, retryable, logs, details };
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (aborted) return { code: "ABORTED", message: message || "the call was cancelled" };
  const stack =
    thrown instanceof Error
      ? (thrown.stack ?? "")
          .split("\n")
          .slice(1, 6)
          .map((line) => line.trim())
      : [];
  return { code: "INTERNAL", message: message || PLUGIN_ERRORS.INTERNAL.sentence, ...(stack.length > 0 && { details: { stack } }) };
}

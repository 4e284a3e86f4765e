import { EngineError, type EngineErrorOptions, type ErrorCode } from "@helixstack/core/client";

interface Problem extends EngineErrorOptions {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly message?: string;
}

/** The error that an answer of the API stands for (RFC 9457, with the fields of our error documents). */
export function problemError(status: number, text: string): EngineError {
  const problem = parse(text);
  const { hint, plane, plugin, step, logs, findings, details } = problem ?? {};
  const message = problem?.detail ?? problem?.message ?? problem?.title ?? `The control plane answered ${status}.`;
  return new EngineError((problem?.code ?? codeOfStatus(status)) as ErrorCode, message, {
    hint,
    plane,
    plugin,
    step,
    logs,
    findings,
    details,
    retryable: false,
  });
}

function parse(text: string): Problem | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : null;
  } catch {
    return null;
  }
}

/** For answers that are not the control plane's own: a proxy in between. */
function codeOfStatus(status: number): ErrorCode {
  if (status === 401 || status === 403) return "TOKEN_INVALID";
  if (status === 404) return "ROUTE_NOT_FOUND";
  if (status === 413) return "SOURCE_TOO_LARGE";
  return status < 500 ? "USAGE" : "BUSY";
}

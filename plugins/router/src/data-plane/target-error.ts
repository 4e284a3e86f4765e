const TIMEOUTS = new Set(["UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT", "ETIMEDOUT"]);

/** What went wrong with a target, for an answer and for the log: a code, never an address. */
export interface TargetError {
  readonly isTimeout: boolean;
  /** The request itself cannot be sent: the client's fault. */
  readonly isInvalid: boolean;
  readonly why: string;
}

export function targetError(error: unknown): TargetError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const isProtocol = code.startsWith("HPE_") || (error instanceof Error && error.name === "HTTPParserError");
  return {
    isTimeout: TIMEOUTS.has(code),
    isInvalid: code === "UND_ERR_INVALID_ARG" || code === "UND_ERR_NOT_SUPPORTED",
    why: isProtocol ? "not an HTTP/1.1 answer" : code || "connection lost",
  };
}

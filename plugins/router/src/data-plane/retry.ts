/** What is known of an attempt that failed. */
export interface FailedAttempt {
  readonly method: string;
  /** The request was written, at least in part. */
  readonly isSent: boolean;
  /** A byte of an answer came. */
  readonly isAnswered: boolean;
  /** The connection had served another request before. */
  readonly isReused: boolean;
  /** Part of the body was read from the client: it cannot be read again. */
  readonly isBodyTaken: boolean;
  readonly isTimeout: boolean;
  /** This request was sent again already after it was written once. */
  readonly wasRepeated: boolean;
}

const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PROPFIND", "SEARCH", "REPORT"]);

/**
 * What may be done after a failed attempt. `elsewhere`: the request never left, any method may go to another target. `again`: it went into
 * a kept connection that the target was closing, and doing it twice is the same as once. `no`: a target may have acted on it.
 */
export function retryOf(attempt: FailedAttempt): "elsewhere" | "again" | "no" {
  if (attempt.isBodyTaken || attempt.isAnswered) return "no";
  if (!attempt.isSent) return "elsewhere";
  const mayRepeat = attempt.isReused && !attempt.isTimeout && !attempt.wasRepeated && IDEMPOTENT.has(attempt.method);
  return mayRepeat ? "again" : "no";
}

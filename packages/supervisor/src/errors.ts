/** Codes of {@link SupervisorError}. */
export type SupervisorErrorCode =
  | "INVALID_UNIT"
  | "NOT_FOUND"
  | "STALE_FENCE"
  | "DISK_FULL"
  | "SHUTTING_DOWN"
  | "UNAVAILABLE"
  | "TIMEOUT"
  | "INTERNAL";

/** The one error of this package. */
export class SupervisorError extends Error {
  override readonly name = "SupervisorError";
  readonly code: SupervisorErrorCode;

  constructor(code: SupervisorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Turns whatever was thrown into a {@link SupervisorError}. */
export function asSupervisorError(error: unknown): SupervisorError {
  if (error instanceof SupervisorError) return error;
  const code = (error as NodeJS.ErrnoException | null)?.code;
  const message = error instanceof Error ? error.message : String(error);
  if (code === "ENOSPC" || code === "EDQUOT")
    return new SupervisorError("DISK_FULL", `no space left on the disk: ${message}`, { cause: error });
  return new SupervisorError("INTERNAL", message, { cause: error });
}

import { EngineError } from "../../domain/errors.ts";

const NETWORK = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);
/** Being shut down, not up yet, out of connections: all pass by themselves. */
const STATES_DOWN = new Set(["57P01", "57P02", "57P03", "57P05", "53300", "53200"]);
const STATES_BUSY = new Set(["40001", "40P01", "55P03", "57014"]);
/** Wrong password, no such database or role: somebody has to change something. */
const STATES_REFUSED = new Set(["28000", "28P01", "3D000"]);
/** What `pg` has no codes for. */
const LOST = /connection terminated|connection error|client was closed|query read timeout/i;
/** `cached plan must not change result type`: another process has changed the table since the statement was prepared. */
export const PLAN_IS_OLD = "0A000";
const POOL_EMPTY = /timeout exceeded when trying to connect/i;

/** True when the connection was lost or refused, so that it is not known whether the last statement took effect. */
export function isConnectionLost(thrown: unknown): boolean {
  if (thrown instanceof EngineError) return thrown.code === "DATABASE_DOWN" && thrown.retryable;
  const code = codeOf(thrown);
  if (code !== undefined && (NETWORK.has(code) || STATES_DOWN.has(code) || code.startsWith("08"))) return true;
  if (thrown instanceof AggregateError) return thrown.errors.some(isConnectionLost);
  return thrown instanceof Error && LOST.test(thrown.message);
}

/** True when the same transaction may succeed if it is run once more. */
export function isWorthAnotherTry(thrown: unknown): boolean {
  const code = codeOf(thrown);
  return code === "40001" || code === "40P01" || code === PLAN_IS_OLD;
}

/** What a caller of the ledger sees of a database error. Errors that are not the database's are passed on. */
export function toLedgerError(thrown: unknown): unknown {
  if (thrown instanceof EngineError) return thrown;
  if (thrown instanceof Error && POOL_EMPTY.test(thrown.message)) {
    return new EngineError("BUSY", "all connections to the database are in use", { cause: thrown });
  }
  if (isConnectionLost(thrown))
    return new EngineError("DATABASE_DOWN", `the database does not answer: ${reason(thrown)}`, { cause: thrown });
  const code = codeOf(thrown);
  if (code === undefined) return thrown;
  if (STATES_REFUSED.has(code)) {
    const options = { cause: thrown, retryable: false, hint: "Correct user, password and database name in DATABASE_URL." };
    return new EngineError("DATABASE_DOWN", `the database refuses the connection: ${reason(thrown)}`, options);
  }
  if (STATES_BUSY.has(code)) return new EngineError("BUSY", `the database is too busy: ${reason(thrown)}`, { cause: thrown });
  if (code === "53100") return new EngineError("DISK_FULL", "the database's disk is full", { cause: thrown });
  return thrown;
}

function codeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}

function reason(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors[0] instanceof Error) return thrown.errors[0].message;
  return thrown instanceof Error ? thrown.message : String(thrown);
}

import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { preparing } from "./prepared.ts";
import type { HelixSchema } from "./schema.ts";

/** How to reach PostgreSQL. */
export interface DatabaseOptions {
  readonly url: string;
  /** Connections at most. Default 10. */
  readonly poolSize?: number;
  /** No statement runs longer than this, milliseconds. Default 15 000. */
  readonly statementTimeoutMs?: number;
  /** Every write fails. Default false. */
  readonly readOnly?: boolean;
  /** Role to take on after the log-in. Default: that of the URL. */
  readonly role?: string;
  /** Told of connections that were lost while idle. They are replaced by themselves. */
  readonly onError?: (error: Error) => void;
}

/** An open database: queries, and what a connection of its own needs. */
export interface Database {
  readonly kysely: Kysely<HelixSchema>;
  readonly options: DatabaseOptions;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** A worker that freezes in a transaction must not keep its locks for longer than its lease: a successor waits for them. Milliseconds. */
const WAIT_MS = 10_000;
const TIMESTAMPTZ = 1184;
const INT8 = 20;

/** Opens a pool; connects on first use, so a database that is down does not reject here. */
export function openDatabase(options: DatabaseOptions): Database {
  const onError = options.onError ?? (() => {});
  const pool = new pg.Pool({ ...connectionConfig(options), max: options.poolSize ?? 10, idleTimeoutMillis: 30_000, pipeline: true });
  pool.on("error", onError);
  // A client that is checked out has no listener of the pool's: without this one, a server that goes away would end the process.
  pool.on("connect", (client) => client.on("error", onError));
  const kysely = new Kysely<HelixSchema>({ dialect: new PostgresDialect({ pool: preparing(pool) }) });
  return { kysely, options, close: () => kysely.destroy() };
}

/** Settings of one connection, for the pool and for connections that stay open (LISTEN). */
export function connectionConfig(options: DatabaseOptions): pg.ClientConfig {
  // The schema is the connection's: naming it in every statement costs more than building the statement.
  const settings = ["-c search_path=helix", `-c lock_timeout=${WAIT_MS}`, `-c idle_in_transaction_session_timeout=${WAIT_MS}`];
  if (options.readOnly) settings.push("-c default_transaction_read_only=on");
  if (options.role) settings.push(`-c role=${options.role}`);
  return {
    connectionString: options.url,
    application_name: "helix",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: options.statementTimeoutMs ?? 15_000,
    keepAlive: true,
    options: settings.join(" "),
    types: { getTypeParser: typeParser },
  };
}

/** Times as ISO 8601, counters as numbers: none of ours comes near 2^53. */
function typeParser(oid: number, format?: "text" | "binary"): (value: string) => unknown {
  if (format !== "binary" && oid === TIMESTAMPTZ) return (value) => new Date(value).toISOString();
  if (format !== "binary" && oid === INT8) return Number;
  return pg.types.getTypeParser(oid, (format ?? "text") as "text") as (value: string) => unknown;
}

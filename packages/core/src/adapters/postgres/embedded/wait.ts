import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { EngineError } from "../../../domain/errors.ts";
import { hasCode } from "../../files.ts";
import { isConnectionLost, toLedgerError } from "../failures.ts";

const PAUSE_MS = 25;
const NO_SUCH_DATABASE = "3D000";

/**
 * Resolves when the server answers; makes the URL's database if it is not there. Rejects with `DATABASE_DOWN` when it does not answer in
 * time (default 30 s: after a crash it reads its log first), or at once when it refuses the password.
 */
export async function waitForPostgres(
  url: string,
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const deadline = performance.now() + (options.timeoutMs ?? 30_000);
  for (;;) {
    try {
      return await openOnce(url);
    } catch (thrown) {
      options.signal?.throwIfAborted();
      if (!isConnectionLost(thrown)) throw toLedgerError(thrown);
      if (performance.now() < deadline) {
        await sleep(PAUSE_MS, undefined, options.signal === undefined ? {} : { signal: options.signal });
        continue;
      }
      const hint = "Read the log of the unit `postgres` in the home's data/supervisor/logs.";
      throw new EngineError("DATABASE_DOWN", "PostgreSQL did not come up in time", { hint, cause: thrown });
    }
  }
}

/** Asks the URL's own database first: whoever may use that one may not be let into any other. */
async function openOnce(url: string): Promise<void> {
  try {
    await withClient(url, (client) => client.query("select 1"));
  } catch (thrown) {
    if (!hasCode(thrown, NO_SUCH_DATABASE)) throw thrown;
    await createDatabase(url);
  }
}

/** Every server has a database `postgres`. */
async function createDatabase(url: string): Promise<void> {
  const own = new URL(url);
  const name = decodeURIComponent(own.pathname.slice(1));
  own.pathname = "/postgres";
  try {
    await withClient(own.href, (client) => client.query(`create database ${pg.escapeIdentifier(name)}`));
  } catch (thrown) {
    // It is there, or a clash in the catalogue: another process was as fast.
    if (!hasCode(thrown, "42P04", "23505")) throw thrown;
  }
}

async function withClient(url: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

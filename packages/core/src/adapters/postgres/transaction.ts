import { sql, type Kysely, type Transaction } from "kysely";
import type { Scope } from "../../ports/scope.ts";
import { isWorthAnotherTry } from "./failures.ts";
import type { HelixSchema } from "./schema.ts";

export type Db = Kysely<HelixSchema>;
export type Trx = Transaction<HelixSchema>;

const TRIES = 4;

/**
 * Runs `work` in a transaction with the scope set in it. `work` is run again when the database had to break a deadlock, so it touches
 * nothing but the database.
 *
 * Locks are taken in this order everywhere: environment, run, deployment, other rows, event streams by name.
 */
export async function scoped<T>(db: Db, scope: Pick<Scope, "organization">, work: (trx: Trx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(async (trx) => {
        await sql`select set_config('helix.organization', ${scope.organization}, true)`.execute(trx);
        return await work(trx);
      });
    } catch (thrown) {
      if (attempt === TRIES || !isWorthAnotherTry(thrown)) throw thrown;
    }
  }
}

export function json(value: unknown): string {
  return JSON.stringify(value);
}

/** SQL null for null and undefined. */
export function jsonOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}

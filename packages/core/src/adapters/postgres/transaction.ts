import { CompiledQuery, DummyDriver, type Kysely, PostgresDialect, Transaction } from "kysely";
import pg from "pg";
import type { Scope } from "../../ports/scope.ts";
import { isWorthAnotherTry } from "./failures.ts";
import type { HelixSchema } from "./schema.ts";

export type Db = Kysely<HelixSchema>;
export type Trx = Transaction<HelixSchema>;

const TRIES = 4;

/**
 * Runs `work` in a transaction with the scope set in it. `work` is run again when the database had to break a deadlock, so it touches
 * nothing but the database. What it asks through {@link together} is sent at once, and done in the order in which it was asked.
 *
 * Locks are taken in this order everywhere: environment, run, deployment, other rows, event streams by name.
 */
export async function scoped<T>(db: Db, scope: Pick<Scope, "organization">, work: (trx: Trx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(db, scope, work);
    } catch (thrown) {
      if (attempt === TRIES || !isWorthAnotherTry(thrown)) throw thrown;
    }
  }
}

/** Queries of one transaction that do not need each other's answers. Rejects with what failed first, and only when all have come to an end. */
export async function together<const T extends readonly Promise<unknown>[]>(
  queries: T,
): Promise<{ -readonly [P in keyof T]: Awaited<T[P]> }> {
  let failure: { readonly thrown: unknown } | null = null;
  const noted = queries.map((query) =>
    query.catch((thrown: unknown) => {
      // Those behind it fail as well, for no reason of their own.
      failure ??= { thrown };
    }),
  );
  const answers = await Promise.all(noted);
  if (failure !== null) throw (failure as { readonly thrown: unknown }).thrown;
  return answers as { -readonly [P in keyof T]: Awaited<T[P]> };
}

/** Kysely's own transactions wait for each answer before they send the next query. */
function once<T>(db: Db, { organization }: Pick<Scope, "organization">, work: (trx: Trx) => Promise<T>): Promise<T> {
  const executor = db.getExecutor();
  return executor.provideConnection(async (connection) => {
    const run = (text: string) => connection.executeQuery(CompiledQuery.raw(text));
    const trx = new Transaction<HelixSchema>({
      ...UNUSED,
      executor: executor.withConnectionProvider({ provideConnection: (consumer) => consumer(connection) }),
    });
    await run(`begin; select set_config('helix.organization', ${pg.escapeLiteral(organization)}, true)`);
    try {
      const result = await work(trx);
      await run("commit");
      return result;
    } catch (thrown) {
      await run("rollback").catch(() => {});
      throw thrown;
    }
  });
}

/** What Kysely wants besides an executor, for what a transaction does not do. */
const DIALECT = new PostgresDialect({ pool: () => Promise.reject(new Error("a transaction has its connection")) });
const UNUSED = { dialect: DIALECT, config: { dialect: DIALECT }, driver: new DummyDriver() };

export function json(value: unknown): string {
  return JSON.stringify(value);
}

/** SQL null for null and undefined. */
export function jsonOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}

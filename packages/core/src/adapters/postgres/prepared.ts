import { createHash } from "node:crypto";
import type { PostgresPool, PostgresPoolClient } from "kysely";
import type pg from "pg";
import { PLAN_IS_OLD } from "./failures.ts";

/** Statements with lists have as many texts as their lists have lengths: what comes late is not prepared. */
const MOST = 500;

/** Which index reads a range best depends on how much there is of what is asked for: a plan for any values would be wrong for most. */
const RANGE = /\border by\b/;

/**
 * The same pool; statements are parsed and planned once a connection, which is half of what a small one costs. Through PgBouncer that needs its
 * session mode, as LISTEN does.
 */
export function preparing(pool: pg.Pool): PostgresPool {
  const names = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    if (RANGE.test(text)) return undefined;
    const known = names.get(text);
    if (known !== undefined || names.size >= MOST) return known;
    const name = createHash("sha256").update(text).digest("hex").slice(0, 16);
    names.set(text, name);
    return name;
  };
  return {
    connect: async () => prepare(await pool.connect(), nameOf),
    end: () => pool.end(),
  };
}

function prepare(client: pg.PoolClient, nameOf: (text: string) => string | undefined): PostgresPoolClient {
  let isStale = false;
  const query = async (text: string, values: readonly unknown[]) => {
    // What has no values is `begin` and the like: nothing to plan.
    const name = isStale || values.length === 0 ? undefined : nameOf(text);
    try {
      return await client.query({ text, values: [...values], ...(name !== undefined && { name }) });
    } catch (thrown) {
      if ((thrown as { readonly code?: string }).code !== PLAN_IS_OLD) throw thrown;
      isStale = true;
      // In a transaction this is refused too, and the transaction is done again on a connection that knows better.
      return client.query({ text, values: [...values] }).catch(() => Promise.reject(thrown));
    }
  };
  // Kysely asks for cursors on a client of its own.
  return { query: query as unknown as PostgresPoolClient["query"], release: () => client.release(isStale) };
}

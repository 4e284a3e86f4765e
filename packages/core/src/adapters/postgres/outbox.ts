import { sql } from "kysely";
import type { WakeJob } from "../../ports/queue.ts";
import type { Db, Trx } from "./transaction.ts";

export const OUTBOX_CHANNEL = "helix_outbox";

/** Puts wake-ups for runs into the outbox, each due when its run is, and tells the relay at the commit. */
export async function wakeRuns(trx: Trx, organization: string, runs: readonly string[]): Promise<void> {
  if (runs.length === 0) return;
  await sql`
    with put as (
      insert into helix.outbox (organization, run, due_at)
      select organization, id, due_at from helix.run where organization = ${organization} and id = any(${runs})
      returning 1
    )
    select pg_notify(${OUTBOX_CHANNEL}, '') from put limit 1
  `.execute(trx);
}

/**
 * Sends up to `limit` wake-ups that are due. The rows are locked while they are sent and leave in the same transaction: killed in
 * between, they are sent again. Several relays do not get in each other's way.
 */
export async function relayOutbox(db: Db, limit: number, send: (job: WakeJob) => Promise<void>): Promise<number> {
  let failure: { readonly thrown: unknown } | null = null;
  const sent = await db.transaction().execute(async (trx) => {
    const rows = await trx
      .selectFrom("outbox")
      .select(["id", "organization", "run"])
      .where("due_at", "<=", sql<string>`clock_timestamp()`)
      .orderBy("due_at")
      .limit(limit)
      .forUpdate()
      .skipLocked()
      .execute();
    const done: number[] = [];
    for (const { id, organization, run } of rows) {
      try {
        await send({ organization, run });
        done.push(id);
      } catch (thrown) {
        failure = { thrown };
        break;
      }
    }
    if (done.length > 0) await trx.deleteFrom("outbox").where("id", "in", done).execute();
    return done.length;
  });
  if (failure !== null) throw (failure as { readonly thrown: unknown }).thrown;
  return sent;
}

/** Milliseconds until the next wake-up that is not due yet; null when there is none. */
export async function nextWakeUp(db: Db): Promise<number | null> {
  const row = await db
    .selectFrom("outbox")
    .select(sql<number>`(extract(epoch from due_at - clock_timestamp()) * 1000)::float8`.as("ms"))
    .where("due_at", ">", sql<string>`clock_timestamp()`)
    .orderBy("due_at")
    .limit(1)
    .executeTakeFirst();
  return row?.ms ?? null;
}

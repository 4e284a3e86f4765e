import { sql, type Kysely } from "kysely";

/** An installation that was restored knows of when its memory is: what is newer is shown for adoption. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table helix.installation add column restored_from timestamptz`.execute(db);
}

import { sql, type Kysely } from "kysely";

/** What was made between a backup and its restore belongs to a time that the ledger does not know; what comes after the restore is known again. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table helix.installation add column restored_at timestamptz`.execute(db);
}

import { sql, type Kysely } from "kysely";

/** Tokens may be bound to one project. By name: a token can be made before the project's first deployment. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table helix.token add column project text`.execute(db);
}

import { sql, type Kysely } from "kysely";
import { newId } from "../../../domain/ids.ts";
import { DEPLOYMENTS, PROJECTS, RELEASES, RUNS } from "./0001-work.ts";
import { ACCESS, EVENTS, WORKERS, WORLD } from "./0001-world.ts";

/** The first ledger. Every row but the installation's own carries its organization; every key begins with it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [ACCESS, PROJECTS, DEPLOYMENTS, RUNS, RELEASES, WORLD, EVENTS, WORKERS]) await sql.raw(part).execute(db);
  const now = Date.now();
  await sql`insert into helix.installation (id, epoch) values (${newId("ins", now)}, 1)`.execute(db);
  await sql`insert into helix.organization (id, name) values (${newId("org", now)}, 'default')`.execute(db);
}

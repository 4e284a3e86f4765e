import { Migrator, sql } from "kysely";
import { EngineError } from "../../domain/errors.ts";
import { hasCode } from "../files.ts";
import type { Database } from "./database.ts";
import { toLedgerError } from "./failures.ts";
import { MIGRATIONS } from "./migrations/index.ts";

/** Any constant will do: it names the lock that keeps two migrating processes apart. */
const MIGRATION_LOCK = 4_715_203_001;

/**
 * Brings the schema `helix` to this version. Running it again, or in several processes at once, is harmless. Creates nothing outside of
 * the schema. Rejects with `DATABASE_DOWN`, or `PLANE_FAILED` when the database was made by a newer version.
 */
export async function migrate(db: Database): Promise<void> {
  try {
    await db.kysely.connection().execute(async (connection) => {
      await sql`set statement_timeout = 0`.execute(connection);
      await sql`set lock_timeout = 0`.execute(connection);
      await sql`select pg_advisory_lock(${MIGRATION_LOCK})`.execute(connection);
      try {
        await sql`create schema if not exists helix`.execute(connection);
        await migrateLocked(connection);
      } finally {
        // The settings and the lock belong to the session, and the session goes back to the pool.
        await sql`select pg_advisory_unlock(${MIGRATION_LOCK})`.execute(connection);
        await sql`reset statement_timeout`.execute(connection);
        await sql`reset lock_timeout`.execute(connection);
      }
    });
  } catch (thrown) {
    throw toLedgerError(thrown);
  }
}

/** Whether every migration of this version was made, and no other: then {@link migrate} has nothing to do. One query. */
export async function isMigrated(db: Database): Promise<boolean> {
  try {
    const { rows } = await sql<{ name: string }>`select name from helix.migration order by name`.execute(db.kysely);
    return rows.map(({ name }) => name).join() === Object.keys(MIGRATIONS).toSorted().join();
  } catch (thrown) {
    if (hasCode(thrown, UNDEFINED_TABLE, UNDEFINED_SCHEMA)) return false;
    throw toLedgerError(thrown);
  }
}

const UNDEFINED_TABLE = "42P01";
const UNDEFINED_SCHEMA = "3F000";

async function migrateLocked(connection: Database["kysely"]): Promise<void> {
  const migrator = new Migrator({
    db: connection,
    provider: { getMigrations: () => Promise.resolve({ ...MIGRATIONS }) },
    migrationTableName: "migration",
    migrationLockTableName: "migration_lock",
    migrationTableSchema: "helix",
  });
  const { error } = await migrator.migrateToLatest();
  if (error instanceof Error && error.message.startsWith("corrupted migrations")) {
    const hint = "Install the newer HelixStack again, or restore a backup made before it.";
    throw new EngineError("PLANE_FAILED", "the database was made by a newer HelixStack", { hint, cause: error });
  }
  if (error !== undefined) throw error;
}

import { sql } from "kysely";
import type { Ledger } from "../../ports/ledger.ts";
import type { Database, DatabaseOptions } from "./database.ts";
import { openDatabase } from "./database.ts";
import { toLedgerError } from "./failures.ts";
import { createLedger } from "./ledger.ts";

/** A role that can read the ledger and nothing else. Nobody can log in as it. */
const READER_ROLE = "helix_reader";

/**
 * Makes the role {@link READER_ROLE} and lets it read the ledger, if this user may do that; false if not. Roles belong to the whole server, not to the
 * database: so this is no migration, and where an operator keeps roles in his own hands, he makes it himself or leaves it.
 */
export async function ensureReaderRole(db: Database): Promise<boolean> {
  try {
    await db.kysely.transaction().execute(async (trx) => {
      await sql.raw(MAKE_ROLE).execute(trx);
      await sql.raw(GRANT).execute(trx);
    });
    return true;
  } catch (thrown) {
    if (isForbidden(thrown)) return false;
    throw toLedgerError(thrown);
  }
}

/**
 * The same ledger in sessions that cannot write: every transaction is read-only, and the sessions take on the role
 * {@link READER_ROLE} where it is there and may be taken. A method that writes rejects.
 */
export async function readOnlyLedger(options: DatabaseOptions): Promise<Ledger> {
  const readOnly = { ...options, readOnly: true };
  return createLedger((await mayTakeRole(readOnly)) ? { ...readOnly, role: READER_ROLE } : readOnly);
}

const MAKE_ROLE = `
  do $$ begin
    if not exists (select from pg_roles where rolname = '${READER_ROLE}') then
      create role ${READER_ROLE} nologin;
    end if;
  exception when duplicate_object or unique_violation then null;
  end $$;
`;

const GRANT = `
  grant ${READER_ROLE} to current_user;
  grant usage on schema helix to ${READER_ROLE};
  grant select on all tables in schema helix to ${READER_ROLE};
  alter default privileges in schema helix grant select on tables to ${READER_ROLE};
`;

async function mayTakeRole(options: DatabaseOptions): Promise<boolean> {
  const database = openDatabase({ ...options, poolSize: 1 });
  try {
    const { rows } = await sql<{ may: boolean }>`
      select pg_has_role(oid, 'member') and has_schema_privilege(oid, 'helix', 'usage') as may
      from pg_roles where rolname = ${READER_ROLE}`.execute(database.kysely);
    return rows[0]?.may ?? false;
  } catch (thrown) {
    throw toLedgerError(thrown);
  } finally {
    await database.close();
  }
}

function isForbidden(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && thrown.code === "42501";
}

import { sql } from "kysely";
import type { Ledger } from "../../ports/ledger.ts";
import { accessLedger } from "./access.ts";
import type { LedgerContext } from "./context.ts";
import { openDatabase, type DatabaseOptions } from "./database.ts";
import { deploymentLedger } from "./deployments.ts";
import { toLedgerError } from "./failures.ts";
import { idMaker } from "./ids.ts";
import { createListener } from "./listener.ts";
import { policyLedger } from "./policies.ts";
import { runLedger } from "./runs.ts";
import { workerLedger } from "./workers.ts";
import { worldLedger } from "./world.ts";

/**
 * The ledger on PostgreSQL. Connects on first use; the schema must have been brought up to date with `migrate`. After a restart of
 * PostgreSQL it goes on by itself. Whatever the database fails with becomes an `EngineError` (`DATABASE_DOWN`, `BUSY`, `DISK_FULL`).
 *
 * @example
 * const ledger = createLedger({ url: "postgres://helix@127.0.0.1:5432/helix" });
 */
export function createLedger(options: DatabaseOptions): Ledger {
  const database = openDatabase(options);
  const listener = createListener(options);
  const context: LedgerContext = { db: database.kysely, makeId: idMaker(), listener, readOnly: options.readOnly ?? false };
  const ledger: Ledger = {
    ...accessLedger(context),
    ...deploymentLedger(context),
    ...policyLedger(context),
    ...worldLedger(context),
    ...runLedger(context),
    ...workerLedger(context),

    async installation() {
      return context.db
        .selectFrom("installation")
        .select(["id", "epoch", "restored_from as restoredFrom", "restored_at as restoredAt"])
        .executeTakeFirstOrThrow();
    },
    async ping() {
      await sql`select 1`.execute(context.db);
    },
    async close() {
      await listener.close();
      await database.close();
    },
  };
  return withLedgerErrors(ledger);
}

/** The same methods; their database errors are the engine's. */
function withLedgerErrors(ledger: Ledger): Ledger {
  const wrapped = Object.entries(ledger).map(([name, method]) => [
    name,
    async (...input: unknown[]) => {
      try {
        return await (method as (...input: unknown[]) => Promise<unknown>)(...input);
      } catch (thrown) {
        throw toLedgerError(thrown);
      }
    },
  ]);
  return Object.fromEntries(wrapped) as Ledger;
}

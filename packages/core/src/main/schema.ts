import {
  type Database,
  ensureReaderRole,
  isMigrated,
  migrate,
  openDatabase,
  readOnlyLedger,
  waitForPostgres,
} from "../adapters/postgres/index.ts";
import type { Ledger } from "../ports/index.ts";

const DATABASE_WAIT_MS = 60_000;

/** Waits for the database, then brings the schema up to date. */
export async function openSchema(url: string): Promise<void> {
  await waitForPostgres(url, { timeoutMs: DATABASE_WAIT_MS });
  await withDatabase(url, async (database) => {
    if (!(await isMigrated(database))) await migrate(database);
  });
}

/** The ledger under a role that cannot write, opened when it is asked for: workers never do. */
export function planLedger(options: { readonly url: string; readonly onError: (error: Error) => void }) {
  let opened: Ledger | null = null;
  return {
    open: async (): Promise<Ledger> => {
      await withDatabase(options.url, ensureReaderRole);
      opened = await readOnlyLedger({ ...options, poolSize: 2 });
      return opened;
    },
    close: async () => opened?.close(),
  };
}

async function withDatabase(url: string, work: (database: Database) => Promise<unknown>): Promise<void> {
  const database = openDatabase({ url, poolSize: 1 });
  try {
    await work(database);
  } finally {
    await database.close();
  }
}

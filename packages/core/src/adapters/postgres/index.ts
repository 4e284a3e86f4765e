export { dumpLedger, loadLedger, requireNoWorkers, type LedgerDump } from "./dump.ts";
export { openDatabase, type Database, type DatabaseOptions } from "./database.ts";
export { preparePostgres, type EmbeddedPostgres } from "./embedded/prepare.ts";
export { waitForPostgres } from "./embedded/wait.ts";
export { createLedger } from "./ledger.ts";
export { isMigrated, migrate } from "./migrate.ts";
export { ensureReaderRole, readOnlyLedger } from "./reader.ts";

export { openDatabase, type Database, type DatabaseOptions } from "./database.ts";
export { createLedger } from "./ledger.ts";
export { migrate } from "./migrate.ts";

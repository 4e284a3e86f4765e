import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import sqlite from "node-sqlite3-wasm";

/** Opens the database file in `DATA_DIR`. */
export function openDatabase() {
  const folder = process.env.DATA_DIR ?? "./data";
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "notes.db");
  // A process that was killed leaves its lock behind. The volume has one writer at a time, so the lock is nobody's.
  rmSync(`${file}.lock`, { recursive: true, force: true });
  const database = new sqlite.Database(file);
  database.exec("PRAGMA synchronous = FULL");
  return database;
}

/** The number of migrations that were applied. */
export function schemaVersion(database) {
  return database.get("PRAGMA user_version").user_version;
}

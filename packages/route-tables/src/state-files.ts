import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { StoredListen, StoredTable, TableKey } from "./stored-table.ts";

/** The folder of the tables: one file each, so that a switch costs the same with ten and with ten thousand of them. */
export function tablesDir(stateDir: string): string {
  return join(stateDir, "tables");
}

export function tableFile(stateDir: string, key: TableKey): string {
  const name = createHash("sha256").update(`${key.installation}\n${key.unit}`).digest("hex").slice(0, 32);
  return join(tablesDir(stateDir), `${name}.json`);
}

export function listenFile(stateDir: string): string {
  return join(stateDir, "listen.json");
}

/** One table from disk; null when there is none. */
export function readTable<T extends StoredTable = StoredTable>(stateDir: string, key: TableKey): T | null {
  // In place: a switch waits for it, and a small file takes less time than a thread's answer.
  return readJsonSync(tableFile(stateDir, key)) as T | null;
}

/** All tables on disk; files that are no tables are told to `onBroken` and left out. */
export async function readTables(stateDir: string, onBroken: (file: string) => void): Promise<readonly StoredTable[]> {
  const names = (await readdir(tablesDir(stateDir)).catch(nullIfMissing)) ?? [];
  const tables = await Promise.all(
    names
      .filter((name) => name.endsWith(".json"))
      .map(async (name) => {
        const file = join(tablesDir(stateDir), name);
        try {
          return (await readJson(file)) as StoredTable | null;
        } catch (error) {
          if (!(error instanceof SyntaxError)) throw error;
          onBroken(file);
          return null;
        }
      }),
  );
  return tables.filter((table) => table !== null);
}

/** The main port that was chosen; null before the first start. */
export async function readListen(stateDir: string): Promise<StoredListen | null> {
  try {
    return (await readJson(listenFile(stateDir))) as StoredListen | null;
  } catch (error) {
    // The file holds nothing that cannot be chosen again.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function readJsonSync(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    return nullIfMissing(error);
  }
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8").catch(nullIfMissing);
  return text === null ? null : JSON.parse(text);
}

function nullIfMissing(error: unknown): null {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
  throw error;
}

import { open, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Entry } from "./entries.ts";

/**
 * The changes of the maps on disk, from which HAProxy makes its maps when it starts (`lua/start.lua`). Appended to, so that a switch costs the same with ten
 * routes and with ten thousand.
 */
export function journalFile(stateDir: string): string {
  return join(stateDir, "journal");
}

const COMPACT_BYTES = 4 * 1024 * 1024;

/** Adds a batch; returns when it is on disk. A batch counts whole or not at all. */
export async function appendJournal(stateDir: string, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return;
  const handle = await open(journalFile(stateDir), "a", 0o600);
  try {
    // What a power cut left half written is ended by the first line break, and left out.
    await handle.appendFile(`\n>\n${entries.map(lineOf).join("\n")}\n.\n`);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** Whether it is worth while to look for what is out of force in it. */
export async function isOverlong(stateDir: string): Promise<boolean> {
  const { size } = await stat(journalFile(stateDir)).catch(() => ({ size: 0 }));
  return size > COMPACT_BYTES;
}

/** Puts what is in force in its place. */
export async function rewriteJournal(stateDir: string, entries: readonly Entry[]): Promise<void> {
  const text = `>\n${entries.map(lineOf).join("\n")}\n.\n`;
  const temporary = `${journalFile(stateDir)}.tmp`;
  await writeFile(temporary, text, { mode: 0o600, flush: true });
  await rename(temporary, journalFile(stateDir));
}

function lineOf({ map, key, value }: Entry): string {
  return value === null ? `${map} ${key}` : `${map} ${key} ${value}`;
}

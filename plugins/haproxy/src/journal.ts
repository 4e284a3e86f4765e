import { appendFileSync, closeSync, fdatasync, fstatSync, openSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { writeDurable } from "@helixstack/route-tables";
import type { Entry } from "./entries.ts";

/**
 * The changes of the maps on disk, from which HAProxy makes its maps when it starts (`lua/start.lua`). Appended to, so that a switch costs the same with ten
 * routes and with ten thousand.
 */
export function journalFile(stateDir: string): string {
  return join(stateDir, "journal");
}

const onDisk = promisify(fdatasync);
const COMPACT_BYTES = 4 * 1024 * 1024;
/** No line of a batch: HAProxy reads past it. */
const SETTLED = "=";

/** Adds a batch; returns when it is on disk. A batch counts whole or not at all. */
export async function appendJournal(stateDir: string, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return;
  const file = openSync(journalFile(stateDir), "a", 0o600);
  try {
    // What a power cut left half written is ended by the first line break, and left out.
    writeFileSync(file, `\n>\n${entries.map(lineOf).join("\n")}\n.\n`);
    await onDisk(file);
  } finally {
    closeSync(file);
  }
}

/** Says that the last batch is done: the maps and the records say the same. It need not survive a power cut; what is unsettled then is looked at once more. */
export function settleJournal(stateDir: string): void {
  try {
    appendFileSync(journalFile(stateDir), `${SETTLED}\n`);
  } catch {
    // Nor is a full disk the change's matter, which is done.
  }
}

export interface JournalState {
  /** False where a change was interrupted: the journal and the maps may hold what no record has. */
  readonly isSettled: boolean;
  /** Whether it is worth while to look for what is out of force in it. */
  readonly isOverlong: boolean;
}

/** Reads its two ends only. */
export function journalState(stateDir: string): JournalState {
  const file = openIfThere(journalFile(stateDir));
  if (file === null) return { isSettled: false, isOverlong: false };
  try {
    const { size } = fstatSync(file);
    const at = (position: number): string => {
      const bytes = Buffer.alloc(32);
      return bytes.toString("latin1", 0, readSync(file, bytes, 0, 32, Math.max(0, position)));
    };
    const least = Number(/^\d+/.exec(at(0))?.[0] ?? 0);
    const isSettled = at(size - 32).endsWith(`\n${SETTLED}\n`);
    return { isSettled, isOverlong: size > Math.max(COMPACT_BYTES, 2 * least) };
  } finally {
    closeSync(file);
  }
}

function openIfThere(path: string): number | null {
  try {
    return openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** Puts what is in force in its place. The first line says how long that is: a journal of much that is in force is not overlong by that. */
export async function rewriteJournal(stateDir: string, entries: readonly Entry[]): Promise<void> {
  const text = `>\n${entries.map(lineOf).join("\n")}\n.\n${SETTLED}\n`;
  await writeDurable(journalFile(stateDir), `${text.length}\n${text}`);
}

function lineOf({ map, key, value }: Entry): string {
  return value === null ? `${map} ${key}` : `${map} ${key} ${value}`;
}

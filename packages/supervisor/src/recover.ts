import { allMarked, mainOf, type Marked } from "./group.ts";
import { isAlive, type ProcessIdentity } from "./proc.ts";
import type { UnitRecord } from "./records.ts";

/** What still runs of a record. */
export interface Remains {
  /** Its process, and the how-many-eth start it is; null when that is gone. */
  readonly main: { readonly identity: ProcessIdentity; readonly start: number } | null;
  /** Whether descendants of an earlier process are left. */
  readonly hasStrays: boolean;
}

/**
 * Finds the processes of these records that still run: the one written down, or one that was started but not written down because the
 * supervisor died in between. At most one pass over `/proc`.
 */
export function findRemains(records: readonly UnitRecord[], boot: string): Map<string, Remains> {
  const found = new Map<string, Remains>();
  const lost: UnitRecord[] = [];
  for (const record of records) {
    const { process } = record;
    const isHere = process !== null && process.boot === boot && isAlive(process);
    if (isHere) found.set(record.unit.name, { main: { identity: process, start: process.start }, hasStrays: false });
    else lost.push(record);
  }
  const running = lost.length === 0 ? [] : allMarked();
  for (const record of lost) found.set(record.unit.name, unrecorded(record, running));
  return found;
}

/** What was started after the last start that is written down as begun or ended. Older ones are descendants of a dead process. */
function unrecorded(record: UnitRecord, running: readonly Marked[]): Remains {
  const known = Math.max(record.ended, record.process?.start ?? 0);
  const ours = running.filter(({ marker }) => marker.name === record.unit.name && marker.nonce === record.nonce);
  const start = Math.max(...ours.map(({ marker }) => marker.start));
  const identity = start > known ? mainOf(ours.filter(({ marker }) => marker.start === start)) : null;
  return { main: identity === null ? null : { identity, start }, hasStrays: ours.length > (identity === null ? 0 : 1) };
}

import { allMarked, mainOf, type Marked } from "./group.ts";
import { isAlive, type ProcessIdentity } from "./proc.ts";
import type { UnitRecord } from "./records.ts";

/** A process that belongs to a record, and the how-many-eth start it is. */
export interface Found {
  readonly identity: ProcessIdentity;
  readonly start: number;
}

/**
 * Finds the processes of these records that still run: the one written down, or one that was started but not written down because the
 * supervisor died in between. One pass over `/proc`.
 */
export function findProcesses(records: readonly UnitRecord[], boot: string): Map<string, Found> {
  const found = new Map<string, Found>();
  const lost: UnitRecord[] = [];
  for (const record of records) {
    const { process } = record;
    if (process !== null && process.boot === boot && isAlive(process))
      found.set(record.unit.name, { identity: process, start: process.start });
    else lost.push(record);
  }
  const running = lost.length === 0 ? [] : allMarked();
  for (const record of lost) {
    const main = unrecorded(record, running);
    if (main !== null) found.set(record.unit.name, main);
  }
  return found;
}

/** What was started after the last start that is written down as begun or ended. Older ones are descendants of a dead process. */
function unrecorded(record: UnitRecord, running: readonly Marked[]): Found | null {
  const known = Math.max(record.ended, record.process?.start ?? 0);
  const ours = running.filter(({ marker }) => marker.name === record.unit.name && marker.nonce === record.nonce && marker.start > known);
  const start = Math.max(...ours.map(({ marker }) => marker.start));
  const identity = mainOf(ours.filter(({ marker }) => marker.start === start));
  return identity === null ? null : { identity, start };
}

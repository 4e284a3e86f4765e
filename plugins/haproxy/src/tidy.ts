import { readTables } from "@helixstack/route-tables";
import { type Entry, type HaproxyTable, entriesOf } from "./entries.ts";
import { journalState, rewriteJournal } from "./journal.ts";
import type { Maps } from "./maps.ts";

/**
 * Before a change: undoes one that was interrupted, so that no host stays where no record has it, and shortens a journal that is long. Only whoever holds
 * the folder may call it.
 */
export async function tidy(stateDir: string, maps: Maps): Promise<void> {
  const { isSettled, isOverlong } = journalState(stateDir);
  if (isSettled && !isOverlong) return;
  const tables = (await readTables(stateDir, () => undefined)) as readonly HaproxyTable[];
  const wanted = tables.flatMap(entriesOf);
  // The maps first: killed in between, the journal is still unsettled.
  if (!isSettled) {
    const changes = difference(await maps.all(), wanted);
    await maps.set(changes);
    await maps.drop(changes);
  }
  await rewriteJournal(stateDir, wanted);
}

/** What makes `wanted` of what the maps have. */
function difference(found: readonly Entry[], wanted: readonly Entry[]): readonly Entry[] {
  const named = ({ map, key }: Entry): string => `${map} ${key}`;
  const values = new Map(found.map((entry) => [named(entry), entry.value]));
  const names = new Set(wanted.map(named));
  const gone = found.filter((entry) => !names.has(named(entry)));
  return [
    ...wanted.filter((entry) => values.get(named(entry)) !== entry.value),
    // The other way round than they are made: who asks for a route goes before it.
    ...gone.toReversed().map(({ map, key }): Entry => ({ map, key, value: null })),
  ];
}

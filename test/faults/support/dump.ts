import type { Rig } from "./rig.ts";

/** Who works, with heartbeats and wake-ups: they change without anybody deploying. */
const RESTLESS: ReadonlySet<string> = new Set(["worker", "worker_host", "token", "outbox"]);

/** Every row of every other table of the ledger, as `table row`. */
export async function dumpRows(rig: Rig): Promise<readonly string[]> {
  const tables = await rig.sql<{ name: string }>(
    "select table_name as name from information_schema.tables where table_schema = 'helix' and table_type = 'BASE TABLE' order by 1",
  );
  const dumps = tables
    .filter(({ name }) => !RESTLESS.has(name))
    .map(async ({ name }) => {
      const rows = await rig.sql<{ row: string }>(`select t::text as row from helix."${name}" t order by 1`);
      return rows.map(({ row }) => `${name} ${row}`);
    });
  return (await Promise.all(dumps)).flat();
}

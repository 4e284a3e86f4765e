import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";

/** The embedded database of a home. */
export async function ledgerUrl(home: string): Promise<string> {
  const { port } = JSON.parse(await readFile(join(home, "data/postgres.json"), "utf8")) as { port: number };
  const password = (await readFile(join(home, "keys/postgres"), "utf8")).trim();
  return `postgres://helix:${password}@127.0.0.1:${port}/helix`;
}

/** Every row of every table of the ledger, leases and heartbeats aside, as text in a stable order. */
export async function dumpLedger(home: string): Promise<string> {
  const client = new pg.Client({ connectionString: await ledgerUrl(home) });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      "select table_name as name from information_schema.tables where table_schema = 'helix' order by 1",
    );
    const tables = rows.map(({ name }) => name).filter((name) => !LEASES.has(name));
    const dumps: string[] = [];
    for (const name of tables) dumps.push(await dump(client, name));
    return dumps.join("\n");
  } finally {
    await client.end();
  }
}

async function dump(client: pg.Client, name: string): Promise<string> {
  const { rows } = await client.query<{ row: string }>(`select t::text as row from helix.${pg.escapeIdentifier(name)} t order by 1`);
  return `${name}\n${rows.map(({ row }) => row).join("\n")}`;
}

/** Who works, with heartbeats, and when a token was last used: not what `plan` could write. */
const LEASES: ReadonlySet<string> = new Set(["worker", "worker_host", "token"]);

import { createReadStream, createWriteStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { EPOCH_STEP } from "../../domain/epoch.ts";
import { EngineError } from "../../domain/errors.ts";
import { toDiskError } from "../files.ts";
import { HEARTBEAT_SESSION } from "../heartbeat/session.ts";
import { connectionConfig } from "./database.ts";
import { toLedgerError } from "./failures.ts";
import { MIGRATIONS } from "./migrations/index.ts";

/** What a dump holds, and of when it is. */
export interface LedgerDump {
  readonly installation: string;
  readonly epoch: number;
  /** ISO 8601, by the database's clock. */
  readonly takenAt: string;
  /** The migrations that made its tables. */
  readonly migrations: readonly string[];
  /** Rows of each table. */
  readonly rows: Readonly<Record<string, number>>;
}

/** Who works and what is to be woken: true of the moment only. And the compiler of the schema's own books. */
const LEFT_OUT: ReadonlySet<string> = new Set(["worker", "worker_host", "outbox", "migration", "migration_lock"]);
const BATCH = 500;

/**
 * Writes every table as one file of JSON lines into an empty folder, as they were at one instant. Nobody waits for it, and deployments go on. Rejects
 * with `DATABASE_DOWN` or `DISK_FULL`.
 */
export async function dumpLedger(url: string, folder: string): Promise<LedgerDump> {
  return withClient(url, async (client) => {
    await client.query("begin isolation level repeatable read read only");
    const { rows: facts } = await client.query("select id, epoch, now() as at from helix.installation");
    const rows: Record<string, number> = {};
    for (const table of await tables(client)) rows[table] = await dumpTable(client, { table, file: join(folder, `${table}.jsonl`) });
    await client.query("commit");
    const [{ id, epoch, at }] = facts as [{ id: string; epoch: number; at: string }];
    return { installation: id, epoch, takenAt: at, migrations: Object.keys(MIGRATIONS), rows };
  }).catch((thrown: unknown) => {
    throw toLedgerError(toDiskError(thrown, folder));
  });
}

/**
 * Rejects with `BUSY` while a worker is at work on this database, also one that is frozen: it would go on with what a restored ledger does not know. One that
 * is just ending has `graceMs` to do so.
 */
export async function requireNoWorkers(url: string, { graceMs = 3000 }: { readonly graceMs?: number } = {}): Promise<void> {
  await withClient(url, async (client) => {
    for (const until = performance.now() + graceMs; ; await sleep(50)) {
      const { rowCount } = await client.query(
        "select 1 from pg_stat_activity where datname = current_database() and application_name = $1",
        [HEARTBEAT_SESSION],
      );
      if (rowCount === 0) return;
      if (performance.now() < until) continue;
      throw new EngineError("BUSY", `a worker is at work on the ledger`, { hint: "Stop each `helix worker`, then try again." });
    }
  });
}

/**
 * Puts a dump in the place of everything that the ledger knows, in one transaction, and begins a new epoch: what was under way ends as failed, nothing is
 * cleaned up of its own accord, and what the world holds beyond the dump belongs to nobody until somebody adopts or removes it.
 */
export async function loadLedger(url: string, { folder, dump }: { readonly folder: string; readonly dump: LedgerDump }): Promise<void> {
  const own = Object.keys(MIGRATIONS);
  if (own.join() !== dump.migrations.join()) {
    const message = `the backup is of another schema (${dump.migrations.at(-1)}) than this HelixStack (${own.at(-1)})`;
    throw new EngineError("PLANE_FAILED", message, { hint: "Restore it with the HelixStack that made it, then update." });
  }
  await withClient(url, async (client) => {
    await client.query("begin");
    const all = await tables(client);
    await client.query("set local session_replication_role = replica");
    await client.query(`truncate ${[...all, "worker", "worker_host", "outbox"].map((name) => `helix."${name}"`).join(", ")}`);
    const files = new Set(await readdir(folder));
    for (const table of all) if (files.has(`${table}.jsonl`)) await loadTable(client, { table, file: join(folder, `${table}.jsonl`) });
    for (const statement of newEpoch(dump.takenAt)) await client.query(statement);
    await client.query("commit");
  });
}

function newEpoch(takenAt: string): readonly string[] {
  const error = JSON.stringify(new EngineError("RESTORED", "it was under way at the time of the backup").toDocument());
  const open = "state in ('queued', 'running', 'compensating')";
  return [
    `update helix.installation set epoch = epoch + 1, restored_from = ${pg.escapeLiteral(takenAt)}, restored_at = now()`,
    `update helix.environment set active_deployment = null, last_fence = last_fence + ${EPOCH_STEP}`,
    `update helix.route_table set generation = generation + ${EPOCH_STEP}`,
    "update helix.run set state = 'done', worker = null where state <> 'quarantined'",
    // What an unfinished deployment made may serve by now: nobody but a person decides about it.
    `update helix.revision set state = 'forgotten', forgotten_by = 'restore', forgotten_reason = 'made by a deployment that was under way at the backup'
     where state = 'starting' and deployment in (select id from helix.deployment where ${open})`,
    `update helix.deployment set state = 'failed', ended_at = now(), error = ${pg.escapeLiteral(error)} where ${open}`,
  ];
}

async function tables(client: pg.Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    "select table_name as name from information_schema.tables where table_schema = 'helix' and table_type = 'BASE TABLE' order by 1",
  );
  return rows.map(({ name }) => name).filter((name) => !LEFT_OUT.has(name));
}

async function dumpTable(client: pg.Client, { table, file }: { table: string; file: string }): Promise<number> {
  let count = 0;
  async function* lines(): AsyncGenerator<string> {
    for (;;) {
      const { rows } = await client.query<{ line: string }>(`fetch ${BATCH} from dump`);
      count += rows.length;
      yield rows.map(({ line }) => `${line}\n`).join("");
      if (rows.length < BATCH) return;
    }
  }
  await client.query(`declare dump no scroll cursor for select row_to_json(t)::text as line from helix."${table}" t`);
  await pipeline(lines, createWriteStream(file, { flags: "wx", mode: 0o600 }));
  await client.query("close dump");
  return count;
}

async function loadTable(client: pg.Client, { table, file }: { table: string; file: string }): Promise<void> {
  const columns = await client.query<{ name: string; identity: string }>(
    "select column_name as name, is_identity as identity from information_schema.columns where table_schema = 'helix' and table_name = $1 and is_generated = 'NEVER' order by ordinal_position",
    [table],
  );
  const names = columns.rows.map(({ name }) => `"${name}"`).join(", ");
  const insert = `insert into helix."${table}" (${names}) overriding system value select ${names} from json_populate_recordset(null::helix."${table}", $1::json)`;
  let lines: string[] = [];
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (lines.push(line) >= BATCH) {
      await client.query(insert, [`[${lines.join(",")}]`]);
      lines = [];
    }
  }
  if (lines.length > 0) await client.query(insert, [`[${lines.join(",")}]`]);
  for (const { name } of columns.rows.filter(({ identity }) => identity === "YES")) {
    await client.query(
      `select setval(pg_get_serial_sequence('helix."${table}"', '${name}'), coalesce(max("${name}"), 0) + 1, false) from helix."${table}"`,
    );
  }
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(connectionConfig({ url, statementTimeoutMs: 600_000 }));
  client.on("error", () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

import { sql } from "kysely";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openDatabase, type Database } from "../../src/adapters/postgres/database.ts";
import { createLedger } from "../../src/adapters/postgres/ledger.ts";
import type { Ledger } from "../../src/ports/ledger.ts";
import type { DeploymentRecord } from "../../src/ports/records.ts";
import type { Scope } from "../../src/ports/scope.ts";
import { eventually } from "../support/eventually.ts";
import { newDeployment, newLedger } from "../support/ledger.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { claimNext, goLive } from "../support/run.ts";

const MANY = 100_000;
let postgres: TestPostgres;
let url: string;
let scope: Scope;
let database: Database;
let small: DeploymentRecord;
let large: DeploymentRecord;

beforeAll(async () => {
  postgres = await startPostgres();
  const made = await newLedger(postgres);
  ({ url, scope } = made);
  database = openDatabase({ url: made.url, poolSize: 1 });
  const { ledger } = made;
  small = (await ledger.createDeployment(scope, newDeployment())).deployment;
  await goLive(ledger, (await claimNext(ledger)).grip);
  large = (await ledger.createDeployment(scope, newDeployment({ project: "large" }))).deployment;
  await goLive(ledger, (await claimNext(ledger)).grip);
  await ledger.close();
  for (const statement of SEED) await sql.raw(statement).execute(database.kysely);
}, 120_000);
afterAll(async () => {
  await database.close();
  await postgres.stop();
});

/** Copies of one project's deployment, newer than the other project's, with their runs and events. */
const SEED = [
  // Its looks would be counted as somebody's.
  ...["deployment", "run", "event"].map((table) => `alter table helix.${table} set (autovacuum_enabled = false)`),
  `insert into helix.deployment (organization, id, environment, project, request, state, principal, ended_at, deadline_at)
   select organization, 'dep_z' || lpad(n::text, 19, '0'), environment, project, request, 'failed', principal, now(), now()
   from helix.deployment, generate_series(1, ${MANY}) n where project = (select id from helix.project where name = 'large')`,
  `insert into helix.run (organization, id, deployment, environment, kind, state)
   select organization, replace(id, 'dep_', 'run_x'), id, environment, 'main', 'done' from helix.deployment where state = 'failed'`,
  `insert into helix.event (organization, stream, seq, type, data)
   select organization, 'environment:' || environment, 1000 + row_number() over (), 'note', '{}' from helix.deployment where state = 'failed'`,
  "analyze",
];

/** How many rows the database has looked at, in all tables of the ledger. */
async function rowsRead(): Promise<number> {
  const { rows } = await sql<{ sum: number }>`
    select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint as sum
    from pg_stat_user_tables where schemaname = 'helix'`.execute(database.kysely);
  return rows[0]!.sum;
}

/** Rows that `work` made the database look at. Its sessions report when they end. */
async function rowsReadBy(work: (ledger: Ledger) => Promise<unknown>): Promise<number> {
  await untilAlone();
  const before = await rowsRead();
  const ledger = createLedger({ url });
  await work(ledger);
  await ledger.close();
  await untilAlone();
  return (await rowsRead()) - before;
}

async function untilAlone(): Promise<void> {
  await eventually(async () => {
    const { rows } = await sql`
      select 1 from pg_stat_activity where application_name = 'helix' and datname = current_database() and pid <> pg_backend_pid()`.execute(
      database.kysely,
    );
    expect(rows).toEqual([]);
  });
}

it("reads no more than a page, and changes no more than a deployment, however many there were", { timeout: 120_000 }, async () => {
  const page = { limit: 20 };
  const middle = `dep_z${"50000".padStart(19, "0")}`;
  const lists: readonly (readonly [string, (ledger: Ledger) => Promise<unknown>])[] = [
    ["the newest", (ledger) => ledger.listDeployments(scope, page)],
    ["a large environment's", (ledger) => ledger.listDeployments(scope, { ...page, environment: large.environment })],
    ["a large project's", (ledger) => ledger.listDeployments(scope, { ...page, project: "large" })],
    ["far back", (ledger) => ledger.listDeployments(scope, { ...page, environment: large.environment, cursor: middle })],
    ["a small environment's", (ledger) => ledger.listDeployments(scope, { ...page, environment: small.environment })],
    ["a small project's", (ledger) => ledger.listDeployments(scope, { ...page, project: "shop" })],
    ["events far on", (ledger) => ledger.events(scope, { stream: `environment:${large.environment}`, after: 90_000, limit: 20 })],
    [
      "runs: overdue, held, and one that is there",
      (ledger) => Promise.all([ledger.overdueRuns(0), ledger.heldRuns(), ledger.deployment(scope, small.id)]),
    ],
    [
      "a new deployment, live",
      async (ledger) => {
        await ledger.createDeployment(scope, newDeployment());
        await goLive(ledger, (await claimNext(ledger)).grip);
      },
    ],
  ];
  for (const [what, work] of lists) {
    const rows = await rowsReadBy(work);
    expect(rows, what).toBeGreaterThan(0);
    expect(rows, what).toBeLessThan(150);
  }
});

import type pg from "pg";

/** Steps of a null deploy as the engine writes them: how many end in each of its transactions, and which of those carry a decision. */
const COMMITS = [
  { steps: 5, decisions: 2 },
  { steps: 1, decisions: 0 },
  { steps: 3, decisions: 1 },
  { steps: 2, decisions: 0 },
] as const;
const DECISION = JSON.stringify({ input: "x".repeat(8_000) });

/** The rows of one null deploy, written by hand in tables of their own, in the same transactions; answers with the milliseconds of it. */
export async function rawSteps(ledger: pg.ClientBase): Promise<() => Promise<number>> {
  await ledger.query(`create schema if not exists raw;
    create table if not exists raw.run (id int primary key, n int);
    create table if not exists raw.step (id bigint generated always as identity primary key, state text, outcome json, at timestamptz default clock_timestamp());
    create table if not exists raw.decision (id bigint generated always as identity primary key, input json);
    create table if not exists raw.event (id bigint generated always as identity primary key, data json);
    insert into raw.run values (1, 0) on conflict do nothing`);
  return async () => {
    const began = performance.now();
    for (const { steps, decisions } of COMMITS) {
      await ledger.query("begin");
      await ledger.query({ name: "raw-run", text: "update raw.run set n = n + 1 where id = $1", values: [1] });
      for (let i = 0; i < steps; i++) {
        await ledger.query({ name: "raw-step", text: "insert into raw.step (state, outcome) values ($1, $2)", values: ["done", "{}"] });
        await ledger.query({ name: "raw-event", text: "insert into raw.event (data) values ($1)", values: ['{"step":"one"}'] });
      }
      for (let i = 0; i < decisions; i++)
        await ledger.query({ name: "raw-decision", text: "insert into raw.decision (input) values ($1)", values: [DECISION] });
      await ledger.query("commit");
    }
    return performance.now() - began;
  };
}

import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Database, openDatabase } from "../../src/adapters/postgres/database.ts";
import { type Trx, scoped, together } from "../../src/adapters/postgres/transaction.ts";
import { type TestPostgres, startPostgres } from "../support/postgres.ts";

let postgres: TestPostgres;
let database: Database;
const scope = { organization: "org_it's" };

beforeAll(async () => {
  postgres = await startPostgres();
  database = openDatabase({ url: await postgres.database(), poolSize: 1 });
  await sql`create table public.note (text text primary key)`.execute(database.kysely);
});
afterAll(async () => {
  await database.close();
  await postgres.stop();
});

const write = (trx: Trx, text: string) => sql`insert into public.note values (${text})`.execute(trx);
const slow = (trx: Trx, ms: number) => sql`select pg_sleep(${ms / 1000})`.execute(trx);

async function notes(): Promise<readonly string[]> {
  const { rows } = await sql<{ text: string }>`select text from public.note order by text`.execute(database.kysely);
  return rows.map(({ text }) => text);
}

describe("a transaction", () => {
  test("has its scope, and its connection has none of it afterwards", async () => {
    const read = sql<{ is: string | null }>`select nullif(current_setting('helix.organization', true), '') as is`;
    const within = await scoped(database.kysely, scope, async (trx) => (await read.execute(trx)).rows[0]!.is);
    expect(within).toBe(scope.organization);
    expect((await read.execute(database.kysely)).rows[0]!.is).toBeNull();
  });

  test("does what is asked together in the order in which it was asked", async () => {
    const seen = await scoped(database.kysely, scope, async (trx) => {
      const count = () => sql<{ n: number }>`select count(*)::int as n from public.note`.execute(trx);
      const [, first, , second] = await together([write(trx, "a"), count(), write(trx, "b"), count()]);
      return [first.rows[0]!.n, second.rows[0]!.n];
    });
    expect(seen).toEqual([1, 2]);
    expect(await notes()).toEqual(["a", "b"]);
  });

  test("is taken back whole, and nothing of it comes after, when one of several fails", async () => {
    const late = async (trx: Trx) => {
      await slow(trx, 50);
      await write(trx, "late");
    };
    const failed = scoped(database.kysely, scope, (trx) =>
      together([write(trx, "first"), late(trx), Promise.reject(new Error("changed its mind"))]),
    );
    await expect(failed).rejects.toThrow("changed its mind");
    expect(await notes()).toEqual(["a", "b"]);
  });

  test("names the failure, and not those that follow from it", async () => {
    const failed = scoped(database.kysely, scope, (trx) => together([slow(trx, 5), write(trx, "a"), write(trx, "c")]));
    await expect(failed).rejects.toMatchObject({ code: "23505" });
    expect(await notes()).toEqual(["a", "b"]);
  });

  test("that fails leaves its connection to the next one", async () => {
    await scoped(database.kysely, scope, (trx) => write(trx, "after"));
    expect(await notes()).toEqual(["a", "after", "b"]);
  });
});

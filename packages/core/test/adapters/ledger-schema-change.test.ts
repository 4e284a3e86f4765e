import { afterAll, beforeAll, expect, it } from "vitest";
import pg from "pg";
import { createLedger, migrate, openDatabase } from "../../src/adapters/postgres/index.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

it("goes on when another process has changed a table whose statements are prepared", async () => {
  const url = await postgres.database();
  const database = openDatabase({ url, poolSize: 1 });
  await migrate(database);
  await database.close();
  const ledger = createLedger({ url });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const scope = await ledger.ensurePrincipal({ kind: "system", name: "helix" });
    const create = (name: string) => ledger.createToken(scope, { name, hash: name });
    const first = await create("one");
    expect(await ledger.listTokens(scope)).toEqual([first]);
    await client.query("alter table helix.token add column later text");
    const second = await create("two");
    expect((await ledger.listTokens(scope)).map(({ id }) => id)).toEqual([first.id, second.id]);
  } finally {
    await client.end();
    await ledger.close();
  }
});

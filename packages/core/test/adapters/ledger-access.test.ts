import { sql } from "kysely";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../src/adapters/postgres/database.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import { ensureReaderRole, readOnlyLedger } from "../../src/adapters/postgres/reader.ts";
import type { Ledger } from "../../src/ports/ledger.ts";
import type { Scope } from "../../src/ports/scope.ts";
import { migrateUrl, newDeployment, newLedger } from "../support/ledger.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { runningDeployment } from "../support/run.ts";

let postgres: TestPostgres;
let ledger: Ledger;
let scope: Scope;
let url: string;

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  ({ ledger, scope, url } = await newLedger(postgres));
});
afterEach(() => ledger.close());

describe("migrate", () => {
  it("may be run again, and by many at once on an empty database", async () => {
    await migrateUrl(url);
    const empty = await postgres.database();
    await Promise.all(Array.from({ length: 6 }, () => migrateUrl(empty)));
    const database = openDatabase({ url: empty });
    const { rows } = await sql<{ count: number }>`select count(*) from helix.installation`.execute(database.kysely);
    expect(rows).toEqual([{ count: 1 }]);
    await database.close();
  });

  it("refuses a database of a newer version", async () => {
    const database = openDatabase({ url });
    await sql`insert into helix.migration (name, timestamp) values ('9999-later', now()::text)`.execute(database.kysely);
    await expect(migrate(database)).rejects.toMatchObject({ code: "PLANE_FAILED", message: expect.stringContaining("newer") as string });
    await database.close();
  });

  it("leaves the settings of the pool's session as they were", async () => {
    const database = openDatabase({ url, poolSize: 1 });
    await migrate(database);
    const { rows } = await sql<{ statement_timeout: string }>`show statement_timeout`.execute(database.kysely);
    expect(rows).toEqual([{ statement_timeout: "15s" }]);
    await database.close();
  });

  it("names one installation for good", async () => {
    const installation = await ledger.installation();
    expect(installation).toMatchObject({ id: expect.stringMatching(/^ins_/) as string, epoch: 1 });
    expect(await ledger.installation()).toEqual(installation);
  });
});

describe("principals and tokens", () => {
  it("makes a principal once", async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => ledger.ensurePrincipal({ kind: "person", name: "ada" })));
    expect(new Set(made.map((one) => one.principal)).size).toBe(1);
    expect(await ledger.principal(scope, made[0]!.principal)).toEqual({ id: made[0]!.principal, kind: "person", name: "ada" });
    expect(await ledger.principal({ ...scope, organization: "org_other" }, made[0]!.principal)).toBeNull();
  });

  it("knows a token by its hash until it is revoked", async () => {
    const token = await ledger.createToken(scope, { name: "ci", hash: "h1" });
    expect(token).toMatchObject({ name: "ci", createdBy: scope.principal, revokedAt: null, lastUsedAt: null });
    expect(await ledger.authenticate("h1")).toMatchObject({
      scope: { organization: scope.organization, principal: token.principal },
      principal: { id: token.principal, kind: "token", name: "ci" },
    });
    expect(await ledger.authenticate("h2")).toBeNull();
    expect((await ledger.listTokens(scope))[0]!.lastUsedAt).not.toBeNull();
    await expect(ledger.createToken(scope, { name: "ci", hash: "h3" })).rejects.toMatchObject({ code: "CONFLICT", retryable: false });
    expect(await ledger.revokeToken(scope, "ci")).toMatchObject({ id: token.id, revokedAt: expect.any(String) as string });
    expect(await ledger.revokeToken(scope, "ci")).toBeNull();
    expect(await ledger.authenticate("h1")).toBeNull();
    const again = await ledger.createToken(scope, { name: "ci", hash: "h4" });
    expect(again.principal).not.toBe(token.principal);
    expect(await ledger.revokeToken({ ...scope, organization: "org_other" }, again.id)).toBeNull();
    expect(await ledger.revokeToken(scope, again.id)).not.toBeNull();
  });

  it("notes the use of a token, but does not write at each", async () => {
    await ledger.createToken(scope, { name: "ci", hash: "h1" });
    await ledger.authenticate("h1");
    const [first] = await ledger.listTokens(scope);
    await ledger.authenticate("h1");
    expect(await ledger.listTokens(scope)).toEqual([first]);
  });
});

describe("a read-only ledger", () => {
  it.each(["with", "without"])("%s a role of its own reads all, and writes nothing", async (how) => {
    const grip = await runningDeployment({ ledger, scope });
    await ledger.createToken(scope, { name: "ci", hash: "h1" });
    const database = openDatabase({ url });
    if (how === "with") expect(await ensureReaderRole(database)).toBe(true);
    else await sql`drop owned by helix_reader`.execute(database.kysely).catch(() => {});
    const reader = await readOnlyLedger({ url });
    expect(await reader.deployment(scope, grip.deployment)).toMatchObject({ state: "running" });
    expect(await reader.authenticate("h1")).not.toBeNull();
    expect((await reader.listDeployments(scope, { limit: 5 })).items).toHaveLength(1);
    const readOnly = /read-only transaction|permission denied/;
    await expect(reader.createDeployment(scope, newDeployment())).rejects.toThrow(readOnly);
    await expect(reader.commit(grip, [{ write: "event", type: "note", data: {} }])).rejects.toThrow(readOnly);
    await expect(reader.beat("wrk_a")).rejects.toThrow(readOnly);
    await expect(reader.ensurePrincipal({ kind: "system", name: "new" })).rejects.toThrow(readOnly);
    await reader.close();
    await database.close();
  });

  it("gets no role from a user who may not make one", async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const name = `plain_${Date.now()}`;
    await client.query(`create role ${name} login password 'p'; grant usage on schema helix to ${name}`);
    await client.query("drop owned by helix_reader; drop role helix_reader").catch(() => {});
    const plain = new URL(url);
    plain.username = name;
    plain.password = "p";
    const database = openDatabase({ url: plain.href });
    expect(await ensureReaderRole(database)).toBe(false);
    await database.close();
    await client.end();
  });
});

it("refuses a wrong password without asking to try again", async () => {
  const wrong = new URL(url);
  wrong.password = "wrong";
  await expect(readOnlyLedger({ url: wrong.href })).rejects.toMatchObject({ code: "DATABASE_DOWN", retryable: false });
});

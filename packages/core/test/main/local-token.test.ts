import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { tokenHash } from "../../src/api/tokens/token-value.ts";
import { type HomeLayout, createHome } from "../../src/config/index.ts";
import { ensureLocalToken, readLocalToken } from "../../src/main/local-token.ts";
import type { Ledger } from "../../src/ports/ledger.ts";
import { newLedger } from "../support/ledger.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";

let postgres: TestPostgres;
let ledger: Ledger;
let home: string;
let layout: HomeLayout;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  ({ ledger } = await newLedger(postgres));
  home = await mkdtemp(join(tmpdir(), "helix-token-"));
  layout = createHome(home, { uid: process.getuid?.() });
  await ensureLocalToken(layout, ledger);
});
afterEach(async () => {
  await ledger.close();
  await rm(home, { recursive: true, force: true });
});

const isTaken = async (of: HomeLayout) => (await ledger.authenticate(tokenHash(readLocalToken(of)!))) !== null;

test("is made once", async () => {
  const token = readLocalToken(layout);
  await ensureLocalToken(layout, ledger);
  expect(readLocalToken(layout)).toBe(token);
  expect(await isTaken(layout)).toBe(true);
});

test("one that was revoked is followed by another", async () => {
  const { scope } = (await ledger.authenticate(tokenHash(readLocalToken(layout)!)))!;
  await ledger.revokeToken(scope, "local");
  expect(await isTaken(layout)).toBe(false);
  await ensureLocalToken(layout, ledger);
  expect(await isTaken(layout)).toBe(true);
});

test("a ledger that was restored into a home with other keys takes that home's", async () => {
  const other = await mkdtemp(join(tmpdir(), "helix-token-"));
  const fresh = createHome(other, { uid: process.getuid?.() });
  await ensureLocalToken(fresh, ledger);
  expect([await isTaken(fresh), await isTaken(layout)]).toEqual([true, false]);
  await rm(other, { recursive: true, force: true });
});

import { createLedger } from "../../src/adapters/postgres/ledger.ts";
import { openDatabase } from "../../src/adapters/postgres/database.ts";
import { migrate } from "../../src/adapters/postgres/migrate.ts";
import type { Manifest } from "../../src/domain/manifest.ts";
import type { Ledger, NewDeployment } from "../../src/ports/ledger.ts";
import type { Scope } from "../../src/ports/scope.ts";
import type { TestPostgres } from "./postgres.ts";

/** A ledger on a new database, with a principal to ask in its name. */
export interface TestLedger {
  readonly ledger: Ledger;
  readonly scope: Scope;
  readonly url: string;
}

export async function newLedger(postgres: TestPostgres): Promise<TestLedger> {
  const url = await postgres.database();
  await migrateUrl(url);
  const ledger = createLedger({ url });
  const scope = await ledger.ensurePrincipal({ kind: "system", name: "test" });
  return { ledger, scope, url };
}

export async function migrateUrl(url: string): Promise<void> {
  const database = openDatabase({ url });
  try {
    await migrate(database);
  } finally {
    await database.close();
  }
}

/** What a deploy of an empty project asks for. */
export function newDeployment(changes: Partial<NewDeployment> = {}): NewDeployment {
  const manifest: Manifest = { project: "shop", services: {}, guardrails: { maturity: "mvp" }, rollback: { keep: 1, forMs: 600_000 } };
  return {
    project: "shop",
    environment: "production",
    request: { kind: "deploy", manifest, snapshot: `sha256:${"0".repeat(64)}`, toRelease: null, withData: false },
    message: null,
    deadlineMs: 600_000,
    idempotency: null,
    ...changes,
  };
}

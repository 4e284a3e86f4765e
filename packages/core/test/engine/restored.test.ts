import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dumpLedger, loadLedger } from "../../src/adapters/postgres/index.ts";
import { EPOCH_STEP } from "../../src/domain/epoch.ts";
import { newBench } from "../support/bench.ts";
import { manifest } from "../support/manifests.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

test("a project that a restore has forgotten finds the table that still serves, and switches it", async () => {
  const bench = await newBench(postgres);
  const folder = await mkdtemp(join(tmpdir(), "helix-dump-"));
  try {
    const dump = await dumpLedger(bench.url, folder);
    const lost = await bench.deploy(manifest({ web: {} }));
    expect(lost.state).toBe("live");
    const [unit] = Object.keys((await bench.world()).tables);
    await loadLedger(bench.url, { folder, dump });
    expect(await bench.ledger.listProjects(bench.scope)).toEqual([]);
    const { orphans } = await bench.engine.sweep(bench.scope);
    expect(new Set(orphans.map(({ kind, isNewer }) => `${kind} ${isNewer}`))).toEqual(new Set(["revision true", "routes true"]));
    const again = await bench.deploy(manifest({ web: { env: { A: "2" } } }));
    expect(again.error).toBeNull();
    const { tables, revisions } = await bench.world();
    expect(Object.keys(tables)).toEqual([unit]);
    expect(tables[unit!]!.table.generation).toBeGreaterThan(EPOCH_STEP);
    expect(tables[unit!]!.table.routes.map(({ targets }) => targets.map(({ release }) => release))).toEqual([[again.release]]);
    expect(Object.keys(revisions)).toHaveLength(2);
    expect((await bench.engine.sweep(bench.scope)).orphans.map(({ kind, isNewer }) => [kind, isNewer])).toEqual([["revision", true]]);
  } finally {
    await bench.close();
    await rm(folder, { recursive: true, force: true });
  }
});

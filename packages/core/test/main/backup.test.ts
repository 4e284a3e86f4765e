import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SupervisorClient, startSupervisor } from "@helixstack/supervisor";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startHeartbeat } from "../../src/adapters/heartbeat/heartbeat.ts";
import { migrate, openDatabase, preparePostgres, waitForPostgres } from "../../src/adapters/postgres/index.ts";
import { backupPlane, restorePlane } from "../../src/main/backup.ts";
import { freePort } from "../../src/main/free-port.ts";
import { postgresUnit } from "../../src/main/units.ts";

let home: string;
let supervisor: SupervisorClient;
const options = () => ({ home, file: join(home, "saved.helix"), env: {} });

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "helix-backup-"));
  supervisor = await startSupervisor({ home, resume: false });
});
afterAll(async () => {
  await supervisor?.shutdown({ stopUnits: "all" });
  await rm(home, { recursive: true, force: true });
});

it("a backup tells a database that does not run from one that is not as it should be; a restore leaves a worker its ledger", async () => {
  await expect(backupPlane(options())).rejects.toMatchObject({ code: "PLANE_DOWN" });
  const postgres = await preparePostgres({ home, freePort });
  await supervisor.ensure(postgresUnit(postgres));
  await waitForPostgres(postgres.url);
  await expect(backupPlane(options())).rejects.toThrow('relation "helix.installation" does not exist');

  const database = openDatabase({ url: postgres.url, poolSize: 1 });
  await migrate(database);
  await database.close();
  await backupPlane(options());
  const heart = startHeartbeat({ url: postgres.url, worker: "wrk_none", everyMs: 20 });
  await expect
    .poll(() => restorePlane(options()).then(({ format }) => format, String), { timeout: 20_000 })
    .toContain("a worker is at work");
  await heart.stop();
  expect(await restorePlane(options())).toMatchObject({ format: 1 });
});

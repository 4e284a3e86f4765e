import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { SupervisorClient, startSupervisor } from "@helixstack/supervisor";
import {
  type LedgerDump,
  dumpLedger,
  loadLedger,
  migrate,
  openDatabase,
  preparePostgres,
  requireNoWorkers,
  waitForPostgres,
} from "../adapters/postgres/index.ts";
import { pack, unpack } from "../adapters/stores/archive.ts";
import { type HomeLayout, createHome, homeLayout } from "../config/index.ts";
import { EngineError } from "../domain/errors.ts";
import { freePort } from "./free-port.ts";
import { postgresUnit } from "./units.ts";

/** What a backup says of itself. */
export interface BackupInfo extends LedgerDump {
  readonly format: 1;
  /** Folders of the home that are in it. */
  readonly included: readonly string[];
  /** Volumes whose data is not in it. */
  readonly volumes: readonly string[];
}

export interface BackupOptions {
  readonly home: string;
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The ledger's rows and the backup's own facts stand here, in the home while it is made and in the file. */
const FOLDER = "backup";
/** Named by content, or only added to: what the ledger's snapshot refers to is there, whatever is added meanwhile. */
const STORES = ["sources", "artifacts", "logs", "secrets"] as const;

/**
 * Saves what the plane knows, while it works: the ledger as of one instant, sources, artifacts, logs and sealed secrets. Keys are never in it, volumes'
 * data neither: those belong to their applications. Rejects with `PLANE_DOWN` when the database does not run, and with `DISK_FULL`.
 */
export async function backupPlane({ home, file, env }: BackupOptions): Promise<BackupInfo> {
  refuseServer(env);
  const layout = homeLayout(home);
  const folder = join(layout.data, FOLDER);
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, "ledger"), { recursive: true, mode: 0o700 });
  try {
    const { url } = await preparePostgres({ home, freePort });
    const dump = await dumpLedger(url, join(folder, "ledger")).catch((cause: unknown) => {
      if (!(cause instanceof EngineError) || cause.code !== "DATABASE_DOWN") throw cause;
      throw new EngineError("PLANE_DOWN", `the database of ${home} does not answer`, { hint: "Run `helix server --detach`.", cause });
    });
    const info: BackupInfo = {
      format: 1,
      ...dump,
      included: await presentStores(layout),
      volumes: await readdir(layout.volumes).catch(() => []),
    };
    await writeFile(join(folder, "backup.json"), `${JSON.stringify(info, null, 2)}\n`, { mode: 0o600 });
    await pack(resolve(file), { root: layout.data, names: [FOLDER, ...info.included] });
    return info;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Puts a backup in the place of what the home's ledger knows and begins a new epoch. Stops the control plane; applications go on, also those that the
 * backup does not know. The caller starts the control plane again. Rejects with `BUSY`, and changes nothing, while a `helix worker` is at work.
 */
export async function restorePlane({ home, file, env }: BackupOptions): Promise<BackupInfo> {
  refuseServer(env);
  const layout = createHome(home, { uid: process.getuid?.() });
  const folder = join(layout.data, FOLDER);
  await rm(folder, { recursive: true, force: true });
  try {
    await unpack(resolve(file), { root: layout.data, names: [FOLDER] });
    const info = await readInfo(folder, file);
    const url = await databaseAlone(home);
    await unpack(resolve(file), { root: layout.data, names: info.included.filter((name) => (STORES as readonly string[]).includes(name)) });
    await loadLedger(url, { folder: join(folder, "ledger"), dump: info });
    return info;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function refuseServer(env: BackupOptions["env"]): void {
  if (!env["DATABASE_URL"]) return;
  throw new EngineError("USAGE", "DATABASE_URL is set: `backup` and `restore` are for the embedded plane.", {
    hint: "Back up your own PostgreSQL with its tools, and the home's data folder with it.",
  });
}

async function presentStores(layout: HomeLayout): Promise<readonly string[]> {
  const there = new Set(await readdir(layout.data));
  return STORES.filter((name) => there.has(name));
}

async function readInfo(folder: string, file: string): Promise<BackupInfo> {
  const text = await readFile(join(folder, "backup.json"), "utf8").catch(() => null);
  const info = text === null ? null : (JSON.parse(text) as BackupInfo);
  if (info?.format === 1) return info;
  throw new EngineError("SOURCE_INVALID", `${file} is not a backup of HelixStack`);
}

/** The database runs and nobody of ours uses it. */
async function databaseAlone(home: string): Promise<string> {
  const running = await SupervisorClient.connect(home).catch(() => null);
  const supervisor = running ?? (await startSupervisor({ home, resume: false }));
  try {
    await supervisor.stop("control").catch((error: { code?: string }) => {
      if (error.code !== "NOT_FOUND") throw error;
    });
    const postgres = await preparePostgres({ home, freePort });
    await supervisor.ensure(postgresUnit(postgres));
    await waitForPostgres(postgres.url);
    await requireNoWorkers(postgres.url).catch(async (error: unknown) => {
      // Nothing was changed yet: the plane goes on.
      await supervisor.thaw("control").catch(() => undefined);
      throw error;
    });
    const database = openDatabase({ url: postgres.url, poolSize: 1 });
    try {
      await migrate(database);
    } finally {
      await database.close();
    }
    return postgres.url;
  } finally {
    supervisor.close();
  }
}

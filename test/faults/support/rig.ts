import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { type TestPostgres, startPostgres } from "../../../packages/core/test/support/postgres.ts";
import { type TestRedis, startRedis } from "../../../packages/core/test/support/redis.ts";
import { type Plane, kill, makePlane } from "../../e2e/support/plane.ts";
import { giveOwnPorts } from "../../support/own-ports.ts";
import { type Api, openApi } from "./api.ts";
import { type FaultFolder, openFaultFolder } from "./fault-files.ts";

const entry = fileURLToPath(new URL("../../../packages/core/dist/main.js", import.meta.url));

/**
 * How a plane is put together. `embedded`: supervisor, database and control plane of one home. `server`: a PostgreSQL of its own, as an
 * operator would have it, and a second worker beside the control plane.
 */
export interface RigOptions {
  readonly queue: "postgres" | "redis";
  readonly mode: "embedded" | "server";
  /** Whether the plane's processes look for faults. Default true. */
  readonly hasFaults?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Connections that the database of server mode takes. Default: what PostgreSQL has by itself. */
  readonly connections?: number;
  /** What the plane is told of the database of server mode; default its own URL. */
  readonly road?: (url: string) => Promise<string>;
  /** Mebibytes of a disk of its own for the home. */
  readonly diskMb?: number;
}

/** A real plane to do harm to. */
export interface Rig {
  readonly options: RigOptions;
  readonly plane: Plane;
  readonly faults: FaultFolder;
  readonly api: Api;
  /** Where applications write down that they started. */
  readonly effects: string;
  readonly redis: TestRedis | null;
  /** The database of server mode, and the way to it that the plane does not share. */
  readonly postgres: TestPostgres | null;
  readonly databaseUrl: string | null;
  sql<R extends pg.QueryResultRow = Record<string, any>>(text: string, values?: readonly unknown[]): Promise<readonly R[]>;
  startWorker(env?: Readonly<Record<string, string>>): ChildProcess;
  /** The pid of a unit of the plane (`control`, `postgres`, `router`, `supervisor`); null while there is none. */
  pidOf(role: string): Promise<number | null>;
  remove(): Promise<void>;
}

const open = new Set<Rig>();

/** Ends everything that was made: for a harness that is asked to stop. */
export async function removeRigs(): Promise<void> {
  await Promise.all([...open].map((rig) => rig.remove()));
}

export async function makeRig(options: RigOptions): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), "helix-faults-"));
  await chmod(folder, 0o711);
  const effects = join(folder, "effects");
  await mkdir(effects);
  await chmod(effects, 0o777);
  const faults = openFaultFolder(join(folder, "faults"));
  const redis = options.queue === "redis" ? await startRedis() : null;
  const postgres = options.mode === "server" ? await startPostgres() : null;
  const databaseUrl = postgres === null ? null : await postgres.database();
  if (postgres && databaseUrl && options.connections) await allowConnections(postgres, { url: databaseUrl, count: options.connections });
  const env = {
    HELIX_LOG_LEVEL: "debug",
    ...(options.hasFaults === false ? {} : { HELIX_FAULT: faults.folder }),
    ...(redis && { REDIS_URL: redis.url }),
    ...(databaseUrl !== null && { DATABASE_URL: options.road ? await options.road(databaseUrl) : databaseUrl }),
    ...options.env,
  };
  const plane = await makePlane(env);
  await giveOwnPorts(plane.home);
  if (options.diskMb) mount(plane.home, options.diskMb);
  const workers = new Set<ChildProcess>();
  let pool: pg.Pool | null = null;

  const startWorker = (more: Readonly<Record<string, string>> = {}) => {
    const child = spawn(process.execPath, [entry, "worker"], {
      env: { ...process.env, ...env, HELIX_HOME: plane.home, ...more },
      stdio: ["ignore", "ignore", "ignore"],
    });
    workers.add(child);
    child.once("exit", () => workers.delete(child));
    return child;
  };
  const rig: Rig = {
    options,
    plane,
    faults,
    effects,
    redis,
    postgres,
    databaseUrl,
    api: openApi(plane.home),
    startWorker,
    async sql(text, values = []) {
      pool ??= await openPool(databaseUrl ?? (await embeddedUrl(plane.home)));
      const asked = pool;
      // The database is one of those that are killed. What is asked here may be asked twice.
      return patiently(async () => (await asked.query(text, [...values])).rows as never);
    },
    async pidOf(role) {
      return role === "supervisor" ? supervisorPid(plane) : unitPid(plane, role);
    },
    async remove() {
      open.delete(rig);
      faults.clear();
      for (const worker of workers) kill(worker.pid!);
      // A plane that goes down leaves containers stopped, for its next start.
      const [installation] = await rig.sql<{ id: string }>("select id from helix.installation").catch(() => []);
      await pool?.end().catch(() => {});
      if (options.diskMb) await unmount(plane);
      await plane.remove();
      if (installation) removeContainers(installation.id);
      await postgres?.stop();
      await redis?.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  open.add(rig);
  try {
    const started = await plane.helix(["server", "--detach"]);
    if (started.exit !== 0) throw new Error(`the plane did not start: ${started.stdout}${started.stderr}`);
    if (options.mode === "server") startWorker();
    return rig;
  } catch (error) {
    await rig.remove();
    throw error;
  }
}

async function allowConnections(postgres: TestPostgres, { url, count }: { url: string; count: number }): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`alter system set max_connections = ${count}`);
  client.on("error", () => {});
  await client.end();
  await postgres.kill();
  await postgres.start();
}

function mount(folder: string, sizeMb: number): void {
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${sizeMb}m,mode=0711`, "tmpfs", folder], { encoding: "utf8" });
  if (status !== 0) throw new Error(`a disk of its own cannot be mounted: ${stderr}`);
}

async function unmount(plane: Plane): Promise<void> {
  await plane.helix(["down"]).catch(() => undefined);
  for (const { pid } of await plane.processes()) kill(pid);
  spawnSync("umount", ["--lazy", plane.home]);
}

/** Containers and networks; nothing where there is no Docker. */
function removeContainers(installation: string): void {
  for (const [kind, all, remove] of [
    ["container", ["ls", "-aq"], ["rm", "-f"]],
    ["network", ["ls", "-q"], ["rm"]],
  ] as const) {
    const { stdout } = spawnSync("docker", [kind, ...all, "--filter", `label=helix.installation=${installation}`], { encoding: "utf8" });
    const ids = (stdout ?? "").split("\n").filter(Boolean);
    if (ids.length > 0) spawnSync("docker", [kind, ...remove, ...ids]);
  }
}

const PATIENCE_MS = 30_000;
/** Refused, lost, being shut down, not up yet. */
const AWAY = /ECONNREFUSED|ECONNRESET|terminat/i;
const AWAY_CODES = ["57P01", "57P02", "57P03"];

async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const isAway = AWAY.test(String(error)) || AWAY_CODES.includes((error as { code?: string }).code ?? "");
      if (!isAway || Date.now() > end) throw error;
      await sleep(50);
    }
  }
}

async function openPool(connectionString: string): Promise<pg.Pool> {
  const pool = new pg.Pool({ connectionString, max: 2, idleTimeoutMillis: 0 });
  pool.on("error", () => {});
  return pool;
}

async function embeddedUrl(home: string): Promise<string> {
  const { port } = JSON.parse(await readFile(join(home, "data/postgres.json"), "utf8")) as { port: number };
  const password = (await readFile(join(home, "keys/postgres"), "utf8")).trim();
  return `postgres://helix:${password}@127.0.0.1:${port}/helix`;
}

const UNITS: Readonly<Record<string, RegExp>> = {
  control: /main\.js control|helix-control/,
  router: /plugins\/router\/.*(data-plane|daemon)/,
  postgres: /postgres.* -D /,
};

async function unitPid(plane: Plane, role: string): Promise<number | null> {
  const found = (await plane.processes()).find(({ command }) => UNITS[role]!.test(command));
  return found?.pid ?? null;
}

async function supervisorPid(plane: Plane): Promise<number | null> {
  const found = (await plane.processes()).find(({ command }) => /supervisor/.test(command) && !/main\.js control/.test(command));
  return found?.pid ?? null;
}

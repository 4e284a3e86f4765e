import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { EngineError } from "../../../domain/errors.ts";
import { writeOnce } from "../../files.ts";
import { isAlive } from "../../processes.ts";
import { areLibrariesLinked, copyBinaries, findBinaries, type PostgresBinaries } from "./binaries.ts";
import { DATABASE_USER, ensureCluster } from "./cluster.ts";
import { choosePort, type FreePort } from "./port.ts";
import { chooseServerUser, firstClosedFolder, type ServerUser } from "./server-user.ts";
import { SERVER_ENVIRONMENT, serverArguments } from "./settings.ts";

/** How to start the embedded server of a home, and how to reach it once it runs. */
export interface EmbeddedPostgres {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Whom it runs as; null for the user of this process. */
  readonly user: ServerUser | null;
  readonly port: number;
  /** With the password in it: never to be logged. */
  readonly url: string;
}

/**
 * Gets the embedded PostgreSQL of a home ready to be started: data folder, password, port, and a user that may run it. Starts nothing;
 * running it again, also beside the running server, changes nothing. Rejects with `PLANE_FAILED`, naming the folder, when the server's
 * user cannot enter the home.
 */
export async function preparePostgres(input: { readonly home: string; readonly freePort: FreePort }): Promise<EmbeddedPostgres> {
  const home = resolve(input.home);
  const data = join(home, "data");
  const folder = join(data, "postgres");
  await mkdir(data, { recursive: true });
  const user = await chooseServerUser();
  if (user !== null) await openHome(home, user);
  const binaries = await usableBinaries(data, user);
  const password = await readPassword(home);
  await ensureCluster({ binaries, folder, user, password });
  await removeForeignLock(folder);
  const port = await choosePort({ dataFolder: folder, memory: join(data, "postgres.json"), freePort: input.freePort });
  return {
    argv: serverArguments({ postgres: binaries.postgres, folder, port }),
    cwd: folder,
    env: SERVER_ENVIRONMENT,
    user,
    port,
    url: postgresUrl({ password, port, database: "helix" }),
  };
}

/** Lets the server's user through to the data. The home is ours to open; what is above it is not. */
async function openHome(home: string, user: ServerUser): Promise<void> {
  for (const folder of [home, join(home, "data")]) {
    const { mode } = await stat(folder);
    if ((mode & 0o001) === 0) await chmod(folder, (mode & 0o777) | 0o011);
  }
  const closed = await firstClosedFolder(join(home, "data"), user);
  if (closed === null) return;
  const message = `PostgreSQL never runs as root, and its user "${user.name}" cannot enter ${closed}, which is on the way to ${home}`;
  throw new EngineError("PLANE_FAILED", message, { hint: "Set HELIX_HOME=/var/lib/helix, or run as an ordinary user." });
}

/** The npm package's own files, or a copy in the home where they cannot be used as they are. */
async function usableBinaries(data: string, user: ServerUser | null): Promise<PostgresBinaries> {
  const binaries = await findBinaries();
  const isReachable = user === null || (await firstClosedFolder(join(binaries.folder, "bin"), user)) === null;
  if (isReachable && (await areLibrariesLinked(binaries))) return binaries;
  await mkdir(join(data, "postgres-bin"), { recursive: true, mode: 0o755 });
  return copyBinaries(binaries, join(data, "postgres-bin", binaries.version));
}

async function readPassword(home: string): Promise<string> {
  const keys = join(home, "keys");
  await mkdir(keys, { recursive: true, mode: 0o700 });
  const line = await writeOnce(join(keys, "postgres"), `${randomBytes(24).toString("hex")}\n`);
  return line.trim();
}

/**
 * A lock file that a killed server left names a pid. Once that pid belongs to another program of the same user (after a machine's restart), the
 * server would refuse to start.
 */
async function removeForeignLock(folder: string): Promise<void> {
  const lock = join(folder, "postmaster.pid");
  const pid = Number((await readFile(lock, "utf8").catch(() => "")).split("\n")[0]);
  if (!isAlive(pid)) return;
  const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => null);
  if (name !== null && name.trim() !== "postgres") await rm(lock, { force: true });
}

/** The address of a database of the embedded server. */
export function postgresUrl(input: { readonly password: string; readonly port: number; readonly database: string }): string {
  return `postgres://${DATABASE_USER}:${encodeURIComponent(input.password)}@127.0.0.1:${input.port}/${input.database}`;
}

import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { copyBinaries, findBinaries, type PostgresBinaries } from "../../src/adapters/postgres/embedded/binaries.ts";
import { ensureCluster } from "../../src/adapters/postgres/embedded/cluster.ts";
import { postgresUrl } from "../../src/adapters/postgres/embedded/prepare.ts";
import { chooseServerUser, firstClosedFolder, type ServerUser } from "../../src/adapters/postgres/embedded/server-user.ts";
import { SERVER_ENVIRONMENT, serverArguments } from "../../src/adapters/postgres/embedded/settings.ts";
import { waitForPostgres } from "../../src/adapters/postgres/embedded/wait.ts";

/** A real PostgreSQL of one test file. */
export interface TestPostgres {
  /** The URL of a new, empty database. */
  database(): Promise<string>;
  /** Kills the server with SIGKILL; its children follow by themselves. */
  kill(): Promise<void>;
  /** Starts it again on the same port, and waits until it answers. */
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly port: number;
}

const PASSWORD = "test";

/**
 * Starts a server in a temporary folder, as an unprivileged user when the tests run as root.
 *
 * @example
 * let postgres: TestPostgres;
 * beforeAll(async () => { postgres = await startPostgres(); });
 * afterAll(() => postgres.stop());
 */
export async function startPostgres(): Promise<TestPostgres> {
  const user = await chooseServerUser();
  const root = await mkdtemp(join(tmpdir(), "helix-pg-"));
  await chmod(root, 0o711);
  const binaries = await reachableBinaries(root, user);
  const folder = join(root, "data");
  await ensureCluster({ binaries, folder, user, password: PASSWORD, syncs: false });
  const port = await freePort();
  const url = (database: string) => postgresUrl({ password: PASSWORD, port, database });
  let server: ChildProcess | null = null;

  const launch = () => {
    const [command = "", ...argv] = serverArguments({ postgres: binaries.postgres, folder, port });
    const identity = user === null ? {} : { uid: user.uid, gid: user.gid };
    // Without fsync a test loses nothing: a kill of the server leaves the kernel's memory as it is.
    return spawn(command, [...argv, "-c", "fsync=off"], { cwd: folder, env: { ...SERVER_ENVIRONMENT }, stdio: "ignore", ...identity });
  };
  const start = async () => {
    for (;;) {
      const launched = launch();
      server = launched;
      const isUp = await Promise.race([waitForPostgres(url("postgres")).then(() => true), once(launched, "exit").then(() => false)]);
      if (isUp) return;
      // After a kill, the server's children need a moment to end; until then a new one refuses to start.
      await sleep(50);
    }
  };
  const end = async (signal: NodeJS.Signals) => {
    const running = server;
    server = null;
    if (running?.pid === undefined || running.exitCode !== null) return;
    const exited = once(running, "exit");
    running.kill(signal);
    await exited;
  };
  await start();
  return {
    port,
    start,
    kill: () => end("SIGKILL"),
    async stop() {
      await end("SIGQUIT");
      await rm(root, { recursive: true, force: true });
    },
    async database() {
      const made = url(`test_${randomBytes(6).toString("hex")}`);
      await waitForPostgres(made);
      return made;
    },
  };
}

async function reachableBinaries(root: string, user: ServerUser | null): Promise<PostgresBinaries> {
  const binaries = await findBinaries();
  const isReachable = user === null || (await firstClosedFolder(join(binaries.folder, "bin"), user)) === null;
  return isReachable ? binaries : copyBinaries(binaries, join(root, "bin"));
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

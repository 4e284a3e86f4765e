import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { copyBinaries, areLibrariesLinked, findBinaries } from "../../src/adapters/postgres/embedded/binaries.ts";
import { ensureCluster } from "../../src/adapters/postgres/embedded/cluster.ts";
import { preparePostgres, type EmbeddedPostgres } from "../../src/adapters/postgres/embedded/prepare.ts";
import { chooseServerUser, firstClosedFolder } from "../../src/adapters/postgres/embedded/server-user.ts";
import { waitForPostgres } from "../../src/adapters/postgres/embedded/wait.ts";
import { freePort as anyFreePort } from "../support/postgres.ts";

const isRoot = process.getuid?.() === 0;
let root: string;
let home: string;
let servers: ChildProcess[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "helix-embedded-"));
  await chmod(root, 0o755);
  home = join(root, "home");
});
afterEach(async () => {
  await Promise.all(servers.map((server) => stop(server, "SIGQUIT")));
  servers = [];
  await rm(root, { recursive: true, force: true });
});

/** The wanted port if it is free, else another one. */
async function freePort(wanted: number | null): Promise<number> {
  if (wanted === null) return anyFreePort();
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(anyFreePort()));
    server.listen(wanted, "127.0.0.1", () => server.close(() => resolve(wanted)));
  });
}

const prepare = () => preparePostgres({ home, freePort });

function start({ argv, cwd, env, user }: EmbeddedPostgres): ChildProcess {
  const [command = "", ...rest] = argv;
  const identity = user === null ? {} : { uid: user.uid, gid: user.gid };
  const server = spawn(command, rest, { cwd, env, stdio: "ignore", ...identity });
  servers.push(server);
  return server;
}

async function stop(server: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, "exit");
  server.kill(signal);
  await exited;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query({ text, rowMode: "array" })).rows as unknown[];
  } finally {
    await client.end();
  }
}

describe("preparePostgres", () => {
  it("makes a server that listens on the loopback alone, asks for a password and keeps what it acknowledged", async () => {
    const prepared = await prepare();
    expect(prepared.user === null).toBe(!isRoot);
    start(prepared);
    await waitForPostgres(prepared.url);
    const [settings] = await query(
      prepared.url,
      "select current_setting('fsync'), current_setting('synchronous_commit'), current_setting('listen_addresses'), current_setting('unix_socket_directories'), current_setting('server_encoding'), current_database()",
    );
    expect(settings).toEqual(["on", "on", "127.0.0.1", "", "UTF8", "helix"]);
    const [hba] = await query(prepared.url, "select array_agg(distinct auth_method) from pg_hba_file_rules");
    expect(hba).toEqual([["scram-sha-256"]]);
    const wrong = new URL(prepared.url);
    wrong.password = "wrong";
    await expect(query(wrong.href, "select 1")).rejects.toThrow(/password/);
    expect((await stat(join(home, "keys/postgres"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(home, "keys"))).mode & 0o777).toBe(0o700);
    expect(prepared.argv.join(" ")).not.toContain((await readFile(join(home, "keys/postgres"), "utf8")).trim());
  });

  it("changes nothing beside the running server, nor after it was killed", async () => {
    const first = await prepare();
    const server = start(first);
    await waitForPostgres(first.url);
    await query(first.url, "create table kept as select 1 as one");
    expect(await prepare()).toEqual(first);
    await stop(server, "SIGKILL");
    const again = await prepare();
    expect(again).toEqual(first);
    for (;;) {
      // The killed server's children need a moment; until then the new one refuses, as under the supervisor.
      const next = start(again);
      if (await Promise.race([waitForPostgres(again.url).then(() => true), once(next, "exit").then(() => false)])) break;
    }
    expect(await query(again.url, "select one from kept")).toEqual([[1]]);
  });

  it("steps around a port that somebody else took, and remembers the new one", async () => {
    const first = await prepare();
    const other = createServer().listen(first.port, "127.0.0.1");
    await once(other, "listening");
    const second = await prepare();
    expect(second.port).not.toBe(first.port);
    other.close();
    await once(other, "close");
    expect((await prepare()).port).toBe(second.port);
    start(second);
    await waitForPostgres(second.url);
  });

  it("is safe to be run by many at once", async () => {
    const all = await Promise.all(Array.from({ length: 3 }, prepare));
    expect(new Set(all.map((prepared) => prepared.url.split("@")[0])).size).toBe(1);
    const prepared = await prepare();
    start(prepared);
    await waitForPostgres(prepared.url);
    expect((await readdir(join(home, "data"))).filter((name) => name.endsWith(".init"))).toEqual([]);
  });

  it("removes what a kill left half-made, and starts over", async () => {
    await mkdir(join(home, "data/postgres.999999999.abcd.init/data"), { recursive: true });
    await writeFile(join(home, "data/postgres.999999999.abcd.init/data/PG_VERSION"), "18\n");
    await prepare();
    expect((await readdir(join(home, "data"))).toSorted()).toEqual(["postgres", "postgres.json"]);
  });

  it("removes a lock file whose pid is now another program's", async () => {
    const prepared = await prepare();
    const lock = join(home, "data/postgres/postmaster.pid");
    await writeFile(lock, `${process.pid}\n${join(home, "data/postgres")}\n0\n${prepared.port}\n\n127.0.0.1\n`);
    start(await prepare());
    await waitForPostgres(prepared.url);
    expect(Number((await readFile(lock, "utf8")).split("\n")[0])).not.toBe(process.pid);
  });

  it.skipIf(!isRoot)("as root, opens a home that is its own, and names a folder above it that is closed", async () => {
    await mkdir(home, { mode: 0o700 });
    start(await prepare());
    await chmod(root, 0o700);
    await expect(prepare()).rejects.toMatchObject({
      code: "PLANE_FAILED",
      message: expect.stringContaining(`cannot enter ${root},`) as string,
      options: { hint: expect.stringContaining("HELIX_HOME=/var/lib/helix") as string },
    });
  });
});

describe("binaries", () => {
  it.skipIf(!isRoot)("that the server's user cannot enter are copied once, with their links", async () => {
    const closed = join(root, "closed");
    await mkdir(closed, { mode: 0o700 });
    const own = await findBinaries();
    const hidden = await copyBinaries(own, join(closed, "native"));
    const user = (await chooseServerUser())!;
    expect(await firstClosedFolder(hidden.folder, user)).toBe(closed);
    await rm(join(hidden.folder, "lib/libicuuc.so.60"));
    expect(await areLibrariesLinked(hidden)).toBe(false);
    const open = await copyBinaries(hidden, join(root, "native"));
    expect(await areLibrariesLinked(open)).toBe(true);
    await mkdir(home);
    await ensureCluster({ binaries: open, folder: join(home, "postgres"), user, password: "p", syncs: false });
    expect(await readFile(join(home, "postgres/PG_VERSION"), "utf8")).toBe("18\n");
    expect(await copyBinaries(hidden, join(root, "native"))).toEqual(open);
  });
});

describe("waitForPostgres", () => {
  it("gives up after a while", async () => {
    const port = await anyFreePort();
    const waiting = waitForPostgres(`postgres://helix:p@127.0.0.1:${port}/helix`, { timeoutMs: 200 });
    await expect(waiting).rejects.toMatchObject({ code: "DATABASE_DOWN" });
  });

  it("stops when it is told to", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    silent.close();
    const stopping = AbortSignal.timeout(100);
    const waiting = waitForPostgres(`postgres://helix:p@127.0.0.1:${port}/helix`, { signal: stopping });
    await expect(waiting).rejects.toMatchObject({ name: expect.stringMatching(/Abort|Timeout/) as string });
  });
});

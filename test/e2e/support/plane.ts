import { spawn } from "node:child_process";
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const helixBin = join(root, "packages/cli/bin/helix.js");

/** What one run of `helix` gave. */
export interface Run {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The one JSON document of a `--json` run. */
  readonly json: any;
}

/** A HELIX_HOME of its own with the real command. */
export interface Plane {
  readonly home: string;
  /** Runs `helix` to its end, with `--json`. */
  readonly helix: (args: readonly string[], options?: RunOptions) => Promise<Run>;
  /** Starts `helix` and does not wait. */
  readonly spawnHelix: (args: readonly string[], options?: RunOptions) => ReturnType<typeof spawn>;
  /** Waits for the end of what `spawnHelix` started. */
  readonly finish: (child: ReturnType<typeof spawn>) => Promise<Run>;
  /** Processes of this home that are alive, by what they were started as. */
  readonly processes: () => Promise<readonly { pid: number; command: string }[]>;
  /** Everything down and removed. */
  readonly remove: () => Promise<void>;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Leave out `--json`. */
  readonly human?: boolean;
  readonly input?: string;
}

export async function makePlane(
  env: Readonly<Record<string, string>> = {},
  { bin = helixBin, folder = tmpdir() }: { readonly bin?: string | undefined; readonly folder?: string } = {},
): Promise<Plane> {
  const home = await mkdtemp(join(folder, "helix-e2e-"));
  const environment = { ...process.env, ...env, HELIX_HOME: home, NO_COLOR: "1" };
  const start = (args: readonly string[], options: RunOptions = {}) =>
    spawn(process.execPath, [bin, ...args, ...(options.human ? [] : ["--json"])], {
      cwd: options.cwd ?? root,
      env: { ...environment, ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
    });
  const plane: Plane = {
    home,
    spawnHelix: start,
    finish: (child) => finish(child, { args: [] }),
    helix: (args, options = {}) => finish(start(args, options), { args, ...options }),
    processes: () => processesOf(home),
    async remove() {
      await plane.helix(["down"]).catch(() => undefined);
      for (const { pid } of await processesOf(home)) kill(pid);
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return plane;
}

/** A folder with these files, removed by `remove`. */
export async function makeProject(
  files: Readonly<Record<string, string>>,
): Promise<{ folder: string; write: (path: string, text: string) => Promise<void>; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "helix-app-"));
  const write = (path: string, text: string) => writeFile(join(folder, path), text);
  for (const [path, text] of Object.entries(files)) await write(path, text);
  return { folder, write, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** A private copy of an example. */
export async function copyExample(name: string): Promise<string> {
  const folder = join(await mkdtemp(join(tmpdir(), "helix-example-")), name);
  await cp(join(root, "examples", name), folder, { recursive: true, filter: (path) => !path.includes("node_modules") });
  return folder;
}

/** Asks until the check holds; fails with the last answer after `forMs`. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T>,
  { forMs = 15_000, holds = Boolean as (value: T) => boolean } = {},
): Promise<T> {
  const end = Date.now() + forMs;
  for (;;) {
    const answer = await ask().catch((error: unknown) => error as T);
    if (!(answer instanceof Error) && holds(answer)) return answer;
    if (Date.now() > end)
      throw new Error(
        `${what} did not happen within ${forMs} ms; last: ${answer instanceof Error ? answer.stack : JSON.stringify(answer)}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** One request on a loopback address. */
export async function get(
  address: { host: string; port: number },
  path = "/",
  init: RequestInit = {},
): Promise<{ status: number; text: string; headers: Headers }> {
  const response = await fetch(`http://${address.host}:${address.port}${path}`, { signal: AbortSignal.timeout(10_000), ...init });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** A TCP port that is taken until `close`. */
export async function takePort(port: number): Promise<() => Promise<void>> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  return () => new Promise((resolve) => server.close(() => resolve()));
}

export function kill(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already.
  }
}

async function finish(child: ReturnType<typeof spawn>, { args, human, input }: RunOptions & { args: readonly string[] }): Promise<Run> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
  child.stdin?.end(input ?? "");
  const exit = await new Promise<number>((resolve) => child.once("close", (code, signal) => resolve(code ?? (signal ? 255 : 1))));
  const stdout = Buffer.concat(out).toString();
  const stderr = Buffer.concat(err).toString();
  return { exit, stdout, stderr, json: human ? null : parse(stdout, { args, stderr }) };
}

function parse(stdout: string, { args, stderr }: { args: readonly string[]; stderr: string }): unknown {
  try {
    return JSON.parse(stdout);
  } catch {
    throw new Error(`helix ${args.join(" ")} did not print one JSON document:\n${stdout}\n--- stderr\n${stderr}`);
  }
}

/** By HELIX_HOME in the environment, or the home's path in the command line: postgres has an environment of its own. */
async function processesOf(home: string): Promise<{ pid: number; command: string }[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [command, environment] = await Promise.all(
        ["cmdline", "environ"].map((file) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")),
      );
      const ours = command?.includes(home) || environment?.includes(`HELIX_HOME=${home}\0`) || environment?.includes(home);
      return ours ? { pid: Number(pid), command: (command ?? "").replaceAll("\0", " ").trim() } : null;
    }),
  );
  return found.filter((one) => one !== null && one.command !== "") as { pid: number; command: string }[];
}

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { SupervisorClient } from "./client.ts";
import { SupervisorError } from "./errors.ts";
import { lockOwner } from "./lock.ts";
import { supervisorPaths } from "./paths.ts";
import { isStopped } from "./proc.ts";

const START_MS = 15_000;
const LOOK_MS = 15;
const TRY_AGAIN_MS = 500;

// A small heap for a process that holds little and must not be in the way.
const NODE_FLAGS = ["--max-semi-space-size=1", "--max-old-space-size=96", "--v8-pool-size=0"];

/**
 * Connects to the supervisor of this home, starting it where none runs. However many call this at once, one supervisor results.
 * `resume` takes effect only when this call starts it: units that shall run are started again. Rejects with `UNAVAILABLE`.
 */
export async function startSupervisor(options: { readonly home: string; readonly resume: boolean }): Promise<SupervisorClient> {
  mkdirSync(options.home, { recursive: true });
  let daemon: Daemon | null = null;
  for (const until = Date.now() + START_MS; Date.now() < until; await sleep(LOOK_MS)) {
    const found = await connected(options.home);
    if (found !== null) {
      // Another one was faster. Ours must not come up later, when that one may have been ended.
      if (daemon !== null && daemon.child.pid !== found.pid) daemon.child.kill("SIGKILL");
      return found.client;
    }
    if (daemon === null || (daemon.child.exitCode !== null && Date.now() - daemon.at > TRY_AGAIN_MS)) daemon = spawnDaemon(options);
  }
  const { root } = supervisorPaths(options.home);
  throw new SupervisorError(
    "UNAVAILABLE",
    `the supervisor of ${options.home} did not start within ${START_MS / 1000} s; see ${root}/supervisor.jsonl`,
  );
}

interface Daemon {
  readonly child: ChildProcess;
  readonly at: number;
}

async function connected(home: string): Promise<{ readonly client: SupervisorClient; readonly pid: number } | null> {
  const client = await SupervisorClient.connect(home).catch(() => null);
  if (client === null) return null;
  try {
    const { pid } = await client.ping({ timeoutMs: 5000 });
    return { client, pid };
  } catch (error) {
    client.close();
    const owner = lockOwner(supervisorPaths(home));
    if (owner === null || !isStopped(owner)) return null;
    throw new SupervisorError("UNAVAILABLE", `the supervisor (process ${owner.pid}) is stopped: continue it with SIGCONT, or end it`, {
      cause: error,
    });
  }
}

function spawnDaemon({ home, resume }: { readonly home: string; readonly resume: boolean }): Daemon {
  const entry = fileURLToPath(new URL("./main.js", import.meta.url.replace(/\/src\/([^/]+)$/, "/dist/$1")));
  const child = spawn(process.execPath, [...NODE_FLAGS, entry, "--home", home, ...(resume ? ["--resume"] : [])], {
    cwd: "/",
    // Nothing of the caller's environment: its marker would make the supervisor look like part of a unit.
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
    detached: true,
    stdio: "ignore",
  });
  child.on("error", () => undefined);
  child.unref();
  return { child, at: Date.now() };
}

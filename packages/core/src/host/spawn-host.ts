import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { inheritedEnv } from "@helixstack/sdk/exec";
import { EngineError } from "../domain/errors.ts";
import type { HostProcess, InstalledPlugin } from "../ports/plugins.ts";
import { labelOf } from "./call-errors.ts";
import { endDescendants, endMarked, findProcess } from "./process-table.ts";

/** Marks a host and what it starts, so that what a dead host left behind is found. */
const MARK = "HELIX_PLUGIN_HOST";

/** The compiled script, also when this module runs from source. */
const SCRIPT = fileURLToPath(new URL("plugin-host-main.js", import.meta.url)).replace(/([\\/])src([\\/]host[\\/])/, "$1dist$2");

export interface SpawnHostOptions {
  readonly plugin: InstalledPlugin;
  readonly home: string;
  /** The Node that runs it. */
  readonly node: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A host's process. */
export interface SpawnedHost {
  readonly record: HostProcess;
  /** The messages. */
  readonly pipe: Socket;
  /** Silent; its closing ends the process even if the plugin is blocked. */
  readonly lifeline: Socket;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** How it ended (`exit code 3`, `SIGSEGV`), once it is gone and its output is read. */
  readonly ended: Promise<string>;
  /** Ends it and all it started, at once. */
  kill(): void;
}

/** Starts the process of a plugin host. Rejects with `PLUGIN_CRASHED` where it cannot start. */
export async function spawnHost({ plugin, home, node, env }: SpawnHostOptions): Promise<SpawnedHost> {
  const { name } = plugin.manifest;
  const mark = randomUUID();
  const child = spawn(node, [SCRIPT, labelOf(plugin)], {
    argv0: `helix-plugin-host-${name}`,
    cwd: home,
    env: { ...inheritedEnv(env), [MARK]: mark },
    // 3 carries the messages; 4 carries nothing and is there to be closed by our end, see inside/lifeline.ts.
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
    // A session of its own: Ctrl-C in a terminal is the engine's to answer, which ends the call in order.
    detached: true,
  });
  const ended = endOf(child, () => endMarked(`${MARK}=${mark}`));
  await started(child, plugin);
  const pid = child.pid!;
  return {
    record: { plugin: name, pid, startTicks: findProcess(pid)?.startTicks ?? "" },
    pipe: child.stdio[3] as Socket,
    lifeline: child.stdio[4] as Socket,
    stdout: child.stdout!,
    stderr: child.stderr!,
    ended,
    kill() {
      endDescendants(pid);
      child.kill("SIGKILL");
    },
  };
}

function started(child: ChildProcess, plugin: InstalledPlugin): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("spawn", () => {
      child.on("error", () => {});
      resolve();
    });
    child.once("error", (cause) =>
      reject(
        new EngineError("PLUGIN_CRASHED", `the process of the plugin ${labelOf(plugin)} cannot start: ${cause.message}`, {
          plugin: labelOf(plugin),
          cause,
        }),
      ),
    );
  });
}

/** A grandchild may hold the output open for ever: its last lines are waited for, but not long. */
async function endOf(child: ChildProcess, cleanUp: () => void): Promise<string> {
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const how = await new Promise<string>((resolve) => child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`)));
  cleanUp();
  const patience = new Promise<void>((resolve) => setTimeout(resolve, 250).unref());
  await Promise.race([closed, patience]);
  return how;
}

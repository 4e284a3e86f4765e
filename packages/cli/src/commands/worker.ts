import { EngineError } from "@helixstack/core/client";
import type { Command } from "commander";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { action } from "../action.ts";
import type { Cli } from "../cli.ts";
import { onInterrupt } from "../interrupt.ts";
import { helixHome, refuseRemote } from "../plane/home.ts";
import { isAnswering } from "../plane/session.ts";

export function define(command: Command): void {
  command.action(action((cli) => worker(cli)));
}

/** Runs the engine's worker as a child, so that none of it is loaded here. Its log goes to stderr. */
async function worker(cli: Cli): Promise<number> {
  refuseRemote(cli.env, "worker");
  if (!cli.env["DATABASE_URL"] && !(await isAnswering(cli)))
    throw new EngineError("PLANE_DOWN", `No local plane is running in ${helixHome(cli.env)}.`, {
      hint: "Run `helix server`, or set DATABASE_URL.",
    });
  const interrupted = onInterrupt();
  const child = spawn(process.execPath, [mainScript(), "worker"], {
    stdio: ["ignore", 2, 2],
    env: { ...process.env, HELIX_HOME: helixHome(cli.env) },
  });
  cli.follow({ type: "started", pid: child.pid }, () => `worker ${child.pid}`);
  interrupted.addEventListener("abort", () => child.kill("SIGTERM"));
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  if (!interrupted.aborted && code !== 0)
    throw new EngineError("PLANE_FAILED", `The worker ended with ${code ?? signal}.`, { hint: "Its last lines are above." });
  cli.follow({ type: "stopped" }, () => "The worker has stopped.");
  return 0;
}

/** The engine's entry point lies beside the module that clients import. */
function mainScript(): string {
  return join(dirname(createRequire(import.meta.url).resolve("@helixstack/core/client")), "main.js");
}

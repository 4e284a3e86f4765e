import type { Command } from "commander";
import { setTimeout as sleep } from "node:timers/promises";
import { action } from "../action.ts";
import type { Cli } from "../cli.ts";
import { onInterrupt } from "../interrupt.ts";
import { createProgress } from "../output/progress.ts";
import { findConnection, helixHome, refuseRemote } from "../plane/home.ts";
import { stopPlane } from "../plane/local-plane.ts";
import { isAnswering, openSession } from "../plane/session.ts";

interface ServerOptions {
  readonly detach?: boolean;
}

const LOOK_MS = 2000;
const GONE_MS = 15_000;

export function define(command: Command): void {
  command.option("--detach", "return once it answers").action(action<ServerOptions>((cli, { options }) => server(cli, options)));
}

/** Starts everything, then stays. Ctrl-C stops the control plane; applications go on. */
async function server(cli: Cli, { detach }: ServerOptions): Promise<void> {
  refuseRemote(cli.env, "server");
  const interrupted = onInterrupt();
  const progress = createProgress(cli.err);
  try {
    await openSession(cli, { start: "full", onProgress: progress.say });
  } finally {
    progress.stop();
  }
  const url = findConnection(cli.env)?.url ?? null;
  cli.follow({ type: "ready", url, home: helixHome(cli.env) }, () => url ?? "");
  if (detach) return;
  cli.note("  Ctrl-C stops the control plane; applications go on. `helix down` stops all.");
  await untilGone(cli, interrupted);
  if (!interrupted.aborted) return cli.follow({ type: "stopped", by: "another command" }, () => "The plane was stopped.");
  const stopped = await stopPlane({ home: helixHome(cli.env), controlOnly: true });
  cli.follow({ type: "stopped", by: "signal", stopped }, () => "The control plane is stopped; applications go on.");
}

/** Waits for the signal, or for the plane to be stopped by somebody else. */
async function untilGone(cli: Cli, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
    if (!signal.aborted && !(await isAnswering(cli, { patienceMs: GONE_MS }))) return;
  }
}

import type { Command } from "commander";
import { action } from "../action.ts";
import type { Cli } from "../cli.ts";
import { manifestOf } from "../deployment/deploy-input.ts";
import { deployLoop } from "../dev/deploy-loop.ts";
import { watchSource } from "../dev/watch-source.ts";
import { onInterrupt } from "../interrupt.ts";
import { type EnvironmentOptions, withEnvironment } from "../options.ts";
import { LONG_PATIENCE_MS, openSession } from "../plane/session.ts";

interface DevOptions extends EnvironmentOptions {
  readonly runtime?: string;
}

export function define(command: Command): void {
  withEnvironment(command)
    .option("--runtime <name>", "run on this runtime, whatever the manifest says")
    .action(action<DevOptions>((cli, { options }) => dev(cli, options)));
}

/** Deploys, and again at each save, until Ctrl-C; the application goes on. */
async function dev(cli: Cli, options: DevOptions): Promise<void> {
  const signal = onInterrupt();
  const manifest = manifestOf(cli, options);
  const session = await openSession(cli, { start: "full", patienceMs: LONG_PATIENCE_MS, onProgress: cli.note });
  cli.note(`Watching ${manifest.folder}. Ctrl-C ends this; the application goes on.`);
  const changes = watchSource(manifest, signal);
  try {
    await deployLoop(cli, { session, options, changes, signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (!cli.json) cli.note("Stopped watching. `helix status` shows what runs, `helix destroy` removes it.");
  else cli.follow({ type: "stopped" }, () => "");
}

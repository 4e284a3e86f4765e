import type { Command } from "commander";
import { existsSync } from "node:fs";
import { action } from "../action.ts";
import type { Cli } from "../cli.ts";
import { helixHome, refuseRemote } from "../plane/home.ts";
import { stopPlane } from "../plane/local-plane.ts";

interface DownOptions {
  readonly control?: boolean;
}

export function define(command: Command): void {
  command
    .option("--control", "stop only the control plane and its workers; applications go on")
    .action(action<DownOptions>((cli, { options }) => down(cli, options)));
}

async function down(cli: Cli, { control: controlOnly = false }: DownOptions): Promise<void> {
  refuseRemote(cli.env, "down");
  const home = helixHome(cli.env);
  const stopped = existsSync(home) ? await stopPlane({ home, controlOnly }) : [];
  cli.result({ home, running: false, stopped }, () =>
    stopped.length === 0 ? `Nothing was running in ${home}.` : `Stopped ${stopped.map(({ role }) => role).join(", ")}.`,
  );
}

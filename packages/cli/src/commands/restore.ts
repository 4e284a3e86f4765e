import { EngineError } from "@helixstack/core/client";
import type { Command } from "commander";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { action } from "../action.ts";
import type { Cli } from "../cli.ts";
import { helixHome, refuseRemote } from "../plane/home.ts";
import { restorePlane } from "../plane/local-plane.ts";
import { openSession } from "../plane/session.ts";

export function define(command: Command): void {
  command
    .argument("<file>", "a file of `helix backup`")
    .addHelpText(
      "after",
      "\nApplications go on. What is newer than the backup is shown by `helix doctor` and never removed.\nDeployments that were under way at the backup end as failed.\n",
    )
    .action(action((cli, { args: [file] }) => restore(cli, resolve(cli.cwd, file!))));
}

async function restore(cli: Cli, file: string): Promise<void> {
  refuseRemote(cli.env, "restore");
  if (!existsSync(file)) throw new EngineError("USAGE", `there is no file ${file}`);
  const { takenAt, installation, epoch } = await restorePlane({ home: helixHome(cli.env), file, env: cli.env });
  await openSession(cli, { start: "full" });
  cli.result({ file, takenAt, installation, epoch: epoch + 1 }, () => `The plane knows what it knew at ${takenAt}. Epoch ${epoch + 1}.`);
  cli.note("  `helix doctor` shows what is newer than the backup.");
}

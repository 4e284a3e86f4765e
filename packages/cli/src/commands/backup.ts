import type { Command } from "commander";
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { action } from "../action.ts";
import type { Cli } from "../cli.ts";
import { bytes } from "../output/time.ts";
import { helixHome, refuseRemote } from "../plane/home.ts";
import { backupPlane } from "../plane/local-plane.ts";

export function define(command: Command): void {
  command
    .argument("<file>", "where to write it")
    .addHelpText(
      "after",
      "\nIn it: the ledger as of one instant, sources, artifacts, logs, sealed secrets.\nNot in it: keys (without them secrets cannot be opened elsewhere) and the data of volumes.\n",
    )
    .action(action((cli, { args: [file] }) => backup(cli, resolve(cli.cwd, file!))));
}

async function backup(cli: Cli, file: string): Promise<void> {
  refuseRemote(cli.env, "backup");
  const info = await backupPlane({ home: helixHome(cli.env), file, env: cli.env });
  const { takenAt, installation, epoch, included, volumes } = info;
  const size = statSync(file).size;
  cli.result({ file, bytes: size, takenAt, installation, epoch, included, volumes }, () => `${file}  ${bytes(size)}, as of ${takenAt}`);
  cli.note("  Keys are not in it: keep a copy of the home's `keys` folder elsewhere, or secrets cannot be opened.");
  if (volumes.length > 0) cli.note(`  The data of ${volumes.length} ${volumes.length === 1 ? "volume is" : "volumes is"} not in it.`);
}

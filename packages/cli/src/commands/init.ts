import { EngineError } from "@helixstack/core/client";
import type { Command } from "commander";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { action } from "../action.ts";
import type { Cli } from "../cli.ts";
import { canAsk, confirm } from "../confirm.ts";
import { columns } from "../output/table.ts";
import { helixHome } from "../plane/home.ts";
import { type FoundService, findServices } from "../project/found-services.ts";
import { manifestText } from "../project/manifest-text.ts";
import { nameFromFolder } from "../project/name-from-folder.ts";
import { namesInEnvFile } from "../secrets/env-file.ts";

interface InitOptions {
  readonly yes?: boolean;
  readonly force?: boolean;
  readonly name?: string;
  readonly runtime?: string;
}

export function define(command: Command): void {
  command
    .option("-y, --yes", "write without asking")
    .option("--force", "overwrite a helix.yaml that is there")
    .option("--name <name>", "the project's name (default: the folder's)")
    .option("--runtime <name>", "write this runtime")
    .action(action<InitOptions>((cli, { options }) => init(cli, options)));
}

async function init(cli: Cli, options: InitOptions): Promise<void> {
  const file = join(cli.cwd, "helix.yaml");
  const project = projectName(options.name ?? nameFromFolder(cli.cwd));
  const services = await findServices(cli.cwd, helixHome(cli.env));
  if (services.length === 0) throw nothingFound(cli.cwd);
  const secrets = namesInEnvFile(join(cli.cwd, ".env"));
  const text = manifestText({ project, services, secrets, runtime: options.runtime ?? null });
  cli.note(foundText(cli, services));
  if (!options.yes && canAsk(cli)) {
    cli.note(`\n${text}`);
    if (!(await confirm(cli, "Write helix.yaml?"))) throw new EngineError("CANCELLED", "Nothing was written.");
  }
  write(file, { text, force: options.force === true });
  const detected = services.map(({ name, source, build }) => ({ service: name, source, build: build.plugin, why: build.why }));
  cli.result({ file, project, detected, secrets }, () => file);
  cli.note(secrets.length > 0 ? "  next: helix env push, which brings the values of .env; then helix deploy" : "  next: helix deploy");
}

/** The same rule as the manifest's, so that what is written is valid. */
function projectName(name: string): string {
  if (/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name)) return name;
  throw new EngineError("USAGE", `--name: ${name} is not a project name.`, {
    hint: "Lower case letters, digits and dashes, at most 40, beginning with a letter.",
  });
}

function foundText({ err: { colors } }: Cli, services: readonly FoundService[]): string {
  const rows = services.map(({ name, source, build }) => [`  ${colors.bold(name)}`, source, build.plugin, colors.dim(build.why)]);
  return `Found\n${columns(rows)}`;
}

function nothingFound(folder: string): EngineError {
  return new EngineError("SOURCE_UNFIT", `Nothing in ${folder} looks like something to deploy.`, {
    plane: "build",
    hint: "A package.json, an index.html or a Dockerfile is looked for, here and one folder down.",
  });
}

/** Made exclusively, so that a file that appears meanwhile is not lost. */
function write(file: string, { text, force }: { readonly text: string; readonly force: boolean }): void {
  try {
    const handle = openSync(file, force ? "w" : "wx");
    writeSync(handle, text);
    closeSync(handle);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw new EngineError("USAGE", `${file} is there already.`, { hint: "Add --force to overwrite it." });
    if (code === "ENOSPC") throw error;
    throw new EngineError("SOURCE_UNREADABLE", `${file} cannot be written: ${message}`, { hint: "Correct the folder's permissions." });
  }
}

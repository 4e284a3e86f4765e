import { EngineError } from "@helixstack/core/client";
import type { Command } from "commander";
import { action } from "../action.ts";
import type { Cli } from "../cli.ts";
import { confirm } from "../confirm.ts";
import { runRequest } from "../deployment/run.ts";
import { type EnvironmentOptions, spanOption, withEnvironment } from "../options.ts";
import { projectName } from "../project/manifest-file.ts";

interface DestroyOptions extends EnvironmentOptions {
  readonly project?: string;
  readonly yes?: boolean;
  readonly withData?: boolean;
  readonly detach?: boolean;
  readonly timeout?: string;
}

export function define(command: Command): void {
  withEnvironment(command)
    .option("-p, --project <name>", "the project (default: the manifest's)")
    .option("-y, --yes", "do not ask")
    .option("--with-data", "remove volumes and what is in them too")
    .option("--detach", "return once it is recorded")
    .option("--timeout <span>", "deadline, like 10m")
    .action(action<DestroyOptions>((cli, { options }) => destroy(cli, options)));
}

async function destroy(cli: Cli, options: DestroyOptions): Promise<void> {
  const { environment, withData = false } = options;
  const timeoutMs = spanOption("--timeout", options.timeout);
  const project = projectName({ ...options, cwd: cli.cwd });
  if (!options.yes) await askFirst(cli, { what: `${project} ${environment}`, withData });
  return runRequest(cli, {
    start: "control",
    detach: options.detach,
    input: { kind: "destroy", project, environment, withData, ...(timeoutMs !== undefined && { timeoutMs }) },
  });
}

async function askFirst(cli: Cli, { what, withData }: { readonly what: string; readonly withData: boolean }): Promise<void> {
  const loss = withData ? "all that it runs, and the data in its volumes" : "all that it runs; its volumes stay";
  if (await confirm(cli, `Remove ${what}: ${loss}?`)) return;
  throw new EngineError("CANCELLED", "Nothing was removed.");
}

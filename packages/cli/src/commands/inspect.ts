import type { Command } from "commander";
import { action } from "../action.ts";
import type { Cli } from "../cli.ts";
import { newestDeployment } from "../deployment/newest.ts";
import { shownStatus } from "../deployment/status-word.ts";
import { type EnvironmentOptions, withEnvironment } from "../options.ts";
import { inspectText } from "../output/inspect-text.ts";
import { openSession } from "../plane/session.ts";

interface InspectOptions extends EnvironmentOptions {
  readonly project?: string;
}

export function define(command: Command): void {
  withEnvironment(command)
    .argument("[deployment]", "its id (default: the newest)")
    .option("-p, --project <name>", "the project (default: the manifest's)")
    .action(action<InspectOptions>((cli, { args: [id], options }) => inspect(cli, id, options)));
}

async function inspect(cli: Cli, asked: string | undefined, options: InspectOptions): Promise<void> {
  const session = await openSession(cli, { start: "none" });
  const id = asked ?? (await newestDeployment(cli, session, options)).id;
  const [found, { findings }] = await Promise.all([session.api.deployment(id), session.api.result(id)]);
  const deployment = shownStatus(found);
  cli.result({ deployment, findings }, () => inspectText({ deployment, findings }, cli.colors));
}

import type { Command } from "commander";
import { action } from "../action.ts";
import type { Cli } from "../cli.ts";
import { manifestInput, manifestOf, sendSource } from "../deployment/deploy-input.ts";
import { runDeployment } from "../deployment/run.ts";
import { type EnvironmentOptions, spanOption, withEnvironment } from "../options.ts";

interface DeployOptions extends EnvironmentOptions {
  readonly runtime?: string;
  readonly detach?: boolean;
  readonly timeout?: string;
  readonly message?: string;
}

export function define(command: Command): void {
  withEnvironment(command)
    .option("--runtime <name>", "run on this runtime, whatever the manifest says")
    .option("--detach", "return once the deployment is recorded")
    .option("--timeout <span>", "deadline of the deployment, like 10m")
    .option("-m, --message <text>", "a note for the deployment's record")
    .action(action<DeployOptions>((cli, { options }) => deploy(cli, options)));
}

function deploy(cli: Cli, options: DeployOptions): Promise<void> {
  const timeoutMs = spanOption("--timeout", options.timeout);
  const manifest = manifestOf(cli, options);
  return runDeployment(cli, {
    start: "full",
    detach: options.detach,
    prepare: async (session, say) => ({
      kind: "deploy",
      ...(await manifestInput(cli, manifest, options)),
      snapshot: await sendSource(manifest, { session, say }),
      ...(options.message !== undefined && { message: options.message }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    }),
  });
}

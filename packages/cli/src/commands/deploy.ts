import type { Command } from "commander";
import { action } from "../action.ts";
import type { Cli } from "../cli.ts";
import { lookAt, manifestOf, sendSource } from "../deployment/deploy-input.ts";
import { runDeployment } from "../deployment/run.ts";
import { type EnvironmentOptions, spanOption, withEnvironment } from "../options.ts";
import { helixHome } from "../plane/home.ts";
import { checkManifest } from "../project/detect.ts";

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
  const { detach, message } = options;
  const timeoutMs = spanOption("--timeout", options.timeout);
  const manifest = manifestOf(cli, options);
  const more = { ...(message !== undefined && { message }), ...(timeoutMs !== undefined && { timeoutMs }) };
  return runDeployment(cli, {
    start: "full",
    detach,
    prepare: async (step) => {
      const wish = await step("source", () => lookAt(cli, manifest, options));
      return {
        check: () => checkManifest(wish.input, helixHome(cli.env)),
        send: async (session) => {
          const snapshot = await step("upload", (say) => sendSource(wish, { session, say }));
          return { kind: "deploy", ...wish.input, snapshot, ...more };
        },
      };
    },
  });
}

import type { Candidate } from "@helixstack/core/client";
import type { Command } from "commander";
import { action } from "../action.ts";
import type { Cli } from "../cli.ts";
import { runRequest } from "../deployment/run.ts";
import { type EnvironmentOptions, spanOption, withEnvironment } from "../options.ts";
import { candidatesText } from "../output/candidates-text.ts";
import { LONG_PATIENCE_MS, openSession } from "../plane/session.ts";
import { projectName } from "../project/manifest-file.ts";

interface RollbackOptions extends EnvironmentOptions {
  readonly project?: string;
  readonly detach?: boolean;
  readonly timeout?: string;
  readonly message?: string;
}

export function define(command: Command): void {
  withEnvironment(command)
    .argument("[release]", "where to go; without it the candidates are listed")
    .option("-p, --project <name>", "the project (default: the manifest's)")
    .option("--detach", "return once it is recorded")
    .option("--timeout <span>", "deadline, like 10m")
    .option("-m, --message <text>", "a note for the record")
    .action(
      action<RollbackOptions>((cli, { args: [release], options }) =>
        release === undefined ? list(cli, options) : goTo(cli, { ...options, release }),
      ),
    );
}

async function list(cli: Cli, options: RollbackOptions): Promise<void> {
  const project = projectName({ ...options, cwd: cli.cwd });
  const { api } = await openSession(cli, { start: "full", patienceMs: LONG_PATIENCE_MS, onProgress: cli.note });
  const answer = await api.environment<{ candidates: readonly Candidate[] }>(project, options.environment, "candidates");
  cli.result(answer, () => candidatesText(answer.candidates, cli.colors));
  if (answer.candidates.length > 0) cli.note(`  next: helix rollback ${answer.candidates[0]!.release}   (data in volumes stays as it is)`);
}

function goTo(cli: Cli, options: RollbackOptions & { readonly release: string }): Promise<void> {
  const { environment, release, message } = options;
  const timeoutMs = spanOption("--timeout", options.timeout);
  const project = projectName({ ...options, cwd: cli.cwd });
  return runRequest(cli, {
    start: "full",
    detach: options.detach,
    input: {
      kind: "rollback",
      project,
      environment,
      release,
      ...(message !== undefined && { message }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    },
  });
}

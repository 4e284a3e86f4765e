import { EngineError, isTerminal, type EnvironmentStatus } from "@helixstack/core/client";
import type { Command } from "commander";
import { action } from "../action.ts";
import type { Cli } from "../cli.ts";
import { awaitResult } from "../deployment/await-result.ts";
import { newestDeployment } from "../deployment/newest.ts";
import { presentResult } from "../deployment/present.ts";
import { onInterrupt } from "../interrupt.ts";
import { type EnvironmentOptions, spanOption, withEnvironment } from "../options.ts";
import { createProgress } from "../output/progress.ts";
import { statusText } from "../output/status-text.ts";
import { isRemote } from "../plane/home.ts";
import { planeReport } from "../plane/report.ts";
import { LONG_PATIENCE_MS, type Session, openSession } from "../plane/session.ts";
import { projectName } from "../project/manifest-file.ts";

interface StatusOptions extends EnvironmentOptions {
  readonly project?: string;
  readonly wait?: string | boolean;
  readonly timeout?: string;
}

export function define(command: Command): void {
  withEnvironment(command)
    .option("-p, --project <name>", "the project (default: the manifest's)")
    .option("--wait [deployment]", "wait for the end of a deployment (default: the newest)")
    .option("--timeout <span>", "with --wait: how long, like 10m")
    .action(action<StatusOptions>((cli, { options }) => (options.wait ? wait(cli, options) : status(cli, options))));
}

async function status(cli: Cli, options: StatusOptions): Promise<void> {
  const session = await sessionOrNull(cli);
  const [plane, environment] = await Promise.all([
    planeReport(cli, session),
    session ? environmentStatus(cli, { session, options }) : NOTHING,
  ]);
  cli.result({ ...environment, plane: plane.plane, processes: plane.processes }, () => statusText({ environment, plane }, cli.colors));
  if (!session) cli.note(`The local plane is not running. ${plane.hint}`);
}

async function sessionOrNull(cli: Cli): Promise<Session | null> {
  try {
    return await openSession(cli, { start: "none" });
  } catch (error) {
    if (error instanceof EngineError && error.code === "PLANE_DOWN" && !isRemote(cli.env)) return null;
    throw error;
  }
}

/** Where nothing was deployed there is nothing else to say. */
const NOTHING: Partial<EnvironmentStatus> & Pick<EnvironmentStatus, "services"> = { services: [] };

/** A project that was never deployed has no services; an environment that was named and is not there is an error. */
async function environmentStatus(cli: Cli, { session, options }: { session: Session; options: StatusOptions }): Promise<typeof NOTHING> {
  try {
    const project = projectName({ ...options, cwd: cli.cwd });
    return await session.api.environment<EnvironmentStatus>(project, options.environment, "status");
  } catch (error) {
    if (error instanceof EngineError && isNothingYet(error, options)) return NOTHING;
    throw error;
  }
}

function isNothingYet({ code }: EngineError, { environment, project, file }: StatusOptions): boolean {
  if (code === "MANIFEST_NOT_FOUND") return file === undefined;
  if (code === "PROJECT_NOT_FOUND") return project === undefined;
  return code === "ENVIRONMENT_NOT_FOUND" && environment === "production";
}

async function wait(cli: Cli, options: StatusOptions): Promise<void> {
  const sinceMs = performance.now();
  const timeoutMs = spanOption("--timeout", options.timeout);
  const session = await openSession(cli, { start: "none", patienceMs: LONG_PATIENCE_MS });
  const id = typeof options.wait === "string" ? options.wait : (await newestDeployment(cli, session, options)).id;
  const now = await session.api.result(id);
  if (isTerminal(now.deployment.status)) return presentResult(cli, now, { sinceMs });
  const progress = createProgress(cli.err);
  try {
    const result = await awaitResult(session, id, { progress, interrupted: onInterrupt(), timeoutMs });
    progress.stop();
    presentResult(cli, result, { sinceMs });
  } finally {
    progress.stop();
  }
}

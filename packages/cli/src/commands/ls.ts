import type { DeploymentItem, EnvironmentItem } from "@helixstack/core/client";
import type { Command } from "commander";
import { action } from "../action.ts";
import type { Cli } from "../cli.ts";
import { shownStatus } from "../deployment/status-word.ts";
import { type EnvironmentOptions, countOption, withEnvironment } from "../options.ts";
import type { Colors } from "../output/colors.ts";
import { table } from "../output/table.ts";
import { ago, span } from "../output/time.ts";
import { openSession } from "../plane/session.ts";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectName } from "../project/manifest-file.ts";

interface ListOptions extends EnvironmentOptions {
  readonly project?: string;
  readonly limit: string;
  readonly cursor?: string;
}

export function define(command: Command): void {
  withEnvironment(command)
    .option("-p, --project <name>", "the project (default: the manifest's)")
    .option("-n, --limit <count>", "how many", "20")
    .option("--cursor <cursor>", "go on where the last list ended")
    .action(action<ListOptions>((cli, { options }) => list(cli, options)));
}

async function list(cli: Cli, options: ListOptions): Promise<void> {
  const isInProject = options.project !== undefined || options.file !== undefined || existsSync(join(cli.cwd, "helix.yaml"));
  return isInProject ? deployments(cli, options) : projects(cli);
}

async function deployments(cli: Cli, options: ListOptions): Promise<void> {
  const limit = countOption("--limit", options.limit);
  const project = projectName({ ...options, cwd: cli.cwd });
  const { api } = await openSession(cli, { start: "none" });
  const { items, next } = await api.deployments({ project, environment: options.environment, limit, cursor: options.cursor });
  const deployments = items.map(shownStatus);
  cli.result({ deployments, next }, () => deploymentTable(deployments, cli.colors));
  if (next !== null) cli.note(`  more: helix ls --cursor ${next}`);
}

function deploymentTable(items: readonly ReturnType<typeof shownStatus<DeploymentItem>>[], colors: Colors): string {
  const now = Date.now();
  const rows = items.map(({ id, kind, status, noChange, release, createdAt, endedAt, message }) => [
    id,
    kind,
    stateColor(status, colors)(noChange ? `${status}, no change` : status),
    release ?? "",
    ago(createdAt, now),
    endedAt ? span(Date.parse(endedAt) - Date.parse(createdAt)) : "",
    message ?? "",
  ]);
  return table(["deployment", "kind", "status", "release", "asked", "took", "message"], rows) || "Nothing was deployed yet.";
}

function stateColor(status: string, colors: Colors): (text: string) => string {
  if (status === "live") return colors.green;
  if (status === "failed") return colors.red;
  return status === "cancelled" || status === "superseded" ? colors.dim : colors.cyan;
}

async function projects(cli: Cli): Promise<void> {
  const { http } = await openSession(cli, { start: "none" });
  const { items } = await http.request<{ items: readonly EnvironmentItem[] }>("GET", "/v1/environments");
  cli.result({ environments: items }, () => {
    const rows = items.map(({ project, name, liveRelease, createdAt }) => [
      project,
      name,
      liveRelease ?? "nothing",
      ago(createdAt, Date.now()),
    ]);
    return table(["project", "environment", "live", "made"], rows) || "There are no projects yet.";
  });
}

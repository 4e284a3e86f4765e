import { EngineError, type WaiverRecord } from "@helixstack/core/client";
import type { Cli } from "../cli.ts";
import { spanOption } from "../options.ts";
import { openSession } from "../plane/session.ts";
import { projectName } from "../project/manifest-file.ts";

export interface WaiveOptions {
  readonly reason: string;
  readonly for: string;
  readonly project?: string;
  readonly environment?: string;
  readonly path?: string;
}

const LONGEST_MS = 30 * 86_400_000;

/** Leaves a waiver in the name of the token that is used. It does not count for deployments of the same one. */
export async function waive(cli: Cli, rule: string, { reason, for: span, project, environment, path }: WaiveOptions): Promise<void> {
  const forMs = spanOption("--for", span)!;
  if (forMs > LONGEST_MS)
    throw new EngineError("USAGE", `--for: ${span} is too long.`, { hint: "30d at most: a rule that is never kept should be changed." });
  if (reason.trim() === "") throw new EngineError("USAGE", "--reason: it says nothing.");
  const { http } = await openSession(cli, { start: "control", onProgress: cli.note });
  const body = {
    project: projectName({ cwd: cli.cwd, environment: "production", project }),
    rule,
    reason,
    forMs,
    ...(environment !== undefined && { environment }),
    ...(path !== undefined && { path }),
  };
  const waiver = await http.request<WaiverRecord>("POST", "/v1/policies/waivers", { body });
  cli.result({ waiver }, () => `${waiver.id} until ${waiver.expiresAt}`);
  cli.note(`  It counts for deployments of everybody but ${waiver.principal.name}.`);
}

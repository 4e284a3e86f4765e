import { EngineError, type Finding } from "@helixstack/core/client";
import type { Command } from "commander";
import { action } from "../action.ts";
import type { Cli } from "../cli.ts";
import { lookAt, manifestOf } from "../deployment/deploy-input.ts";
import { Failure } from "../failure.ts";
import { type EnvironmentOptions, withEnvironment } from "../options.ts";
import { findingsText } from "../output/findings.ts";
import { planText } from "../output/plan-text.ts";
import { createProgress } from "../output/progress.ts";
import { helixHome } from "../plane/home.ts";
import { openSession } from "../plane/session.ts";
import { checkManifest } from "../project/detect.ts";

interface PlanOptions extends EnvironmentOptions {
  readonly runtime?: string;
}

export function define(command: Command): void {
  withEnvironment(command)
    .option("--runtime <name>", "plan for this runtime, whatever the manifest says")
    .action(action<PlanOptions>((cli, { options }) => plan(cli, options)));
}

async function plan(cli: Cli, options: PlanOptions): Promise<void> {
  const manifest = manifestOf(cli, options);
  const { input, snapshot } = await lookAt(cli, manifest, options);
  const progress = createProgress(cli.err);
  try {
    const { api } = await openSession(cli, {
      start: "control",
      beforeStart: () => checkManifest(input, helixHome(cli.env)),
      onProgress: progress.say,
    });
    const { allow, ...result } = await api.plan({ ...input, entries: snapshot.entries });
    progress.stop();
    if (!allow) throw new Failure(denial(result.findings), result);
    cli.result(result, () => planText(result, cli.colors));
    if (result.findings.length > 0) cli.note(findingsText(result.findings, cli.err.colors));
  } finally {
    progress.stop();
  }
}

function denial(findings: readonly Finding[]): EngineError {
  const reasons = findings.filter(({ level }) => level !== "advisory").map(({ message }) => message);
  return new EngineError("POLICY_DENIED", `A policy refuses this: ${reasons.join("; ") || "it does not say why"}`, { findings });
}

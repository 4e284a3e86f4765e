import type { DeploymentResult } from "@helixstack/core/client";
import { randomUUID } from "node:crypto";
import type { Cli } from "../cli.ts";
import { awaitResult } from "../deployment/await-result.ts";
import { lookAt, manifestOf, sendSource, type SourceOptions } from "../deployment/deploy-input.ts";
import { errorOf } from "../deployment/present.ts";
import { asEngineError } from "../failure.ts";
import { errorText } from "../output/error-text.ts";
import { createProgress } from "../output/progress.ts";
import { columns } from "../output/table.ts";
import { span } from "../output/time.ts";
import type { Session } from "../plane/session.ts";
import type { DigestCache } from "../source/digest.ts";
import { type FollowedLogs, followLogs } from "./follow-logs.ts";
import type { SourceChanges } from "./watch-source.ts";

export interface DeployLoop {
  readonly session: Session;
  readonly options: SourceOptions;
  readonly changes: SourceChanges;
  readonly signal: AbortSignal;
}

/** Deploys now and at each change. A deploy that fails is told and waits for the next save; it never ends the loop. */
export async function deployLoop(cli: Cli, loop: DeployLoop): Promise<void> {
  const cache: DigestCache = new Map();
  const logs = followLogs(cli, loop.session, loop.signal);
  do {
    await deployOnce(cli, { ...loop, cache, logs }).catch((error: unknown) => {
      if (loop.signal.aborted) throw error;
      tellFailure(cli, error);
    });
  } while (await loop.changes.next());
}

async function deployOnce(
  cli: Cli,
  { session, options, signal, cache, logs }: DeployLoop & { readonly cache: DigestCache; readonly logs: FollowedLogs },
): Promise<void> {
  const sinceMs = performance.now();
  const progress = createProgress(cli.err);
  try {
    // Read anew: the manifest is what people save, too.
    const manifest = manifestOf(cli, options);
    const wish = await lookAt(cli, manifest, { ...options, cache });
    const snapshot = await sendSource(wish, { session, say: () => {}, cache });
    const { id } = await session.api.createDeployment({ kind: "deploy", ...wish.input, snapshot }, randomUUID());
    const result = await awaitResult(session, id, { progress, interrupted: signal });
    progress.stop();
    if (result.deployment.status !== "live") throw errorOf(result);
    tell(cli, result, span(performance.now() - sinceMs));
    logs.follow({ project: manifest.project!, environment: options.environment, services: result.services.map(({ name }) => name) });
  } finally {
    progress.stop();
  }
}

function tell(cli: Cli, result: DeploymentResult, time: string): void {
  const { error: _, ...document } = result;
  cli.follow({ type: "deployed", ...document }, () => columns(result.services.map(({ name, url }) => [name, url ?? ""])));
  cli.note(result.deployment.noChange ? "  nothing changed" : `  live in ${time}`);
}

/** With `--json` a failed save is a document like the others: the loop itself has not failed. */
function tellFailure(cli: Cli, error: unknown): void {
  const document = asEngineError(error).toDocument();
  if (cli.json) return cli.follow({ type: "failed", ok: false, error: document }, () => "");
  cli.err.write(errorText(document, cli.err.colors));
  cli.note("  Waiting for the next save.");
}

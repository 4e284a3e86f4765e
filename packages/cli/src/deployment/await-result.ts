import { EngineError, isTerminal, type DeploymentResult } from "@helixstack/core/client";
import type { StreamEvent } from "../client/event-stream.ts";
import { follow } from "../client/follow.ts";
import { Failure } from "../failure.ts";
import { deploymentLines } from "../logs/lines.ts";
import type { Progress } from "../output/progress.ts";
import { LONG_PATIENCE_MS, type Session } from "../plane/session.ts";
import { isVerdict, showEvent } from "./show-events.ts";

export interface AwaitOptions {
  readonly progress: Progress;
  /** Fires when the person stops waiting. */
  readonly interrupted: AbortSignal;
  /** Milliseconds to wait at most; then it rejects with `WAIT_TIMEOUT` and the deployment goes on. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Waits for the end of a deployment, through restarts of the control plane. Rejects with `DETACHED` when interrupted; the deployment's own
 * failure is in the result.
 */
export async function awaitResult(
  session: Session,
  id: string,
  { progress, interrupted, timeoutMs }: AwaitOptions,
): Promise<DeploymentResult> {
  const over = new AbortController();
  const timeout = timeoutMs === undefined ? new AbortController().signal : AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([interrupted, timeout, over.signal]);
  try {
    if (progress.hasLines) void showLog(session, id, { progress, signal });
    return await untilEnded(session, id, { progress, signal });
  } catch (error) {
    if (interrupted.aborted) throw detached(id);
    if (timeout.aborted) throw waitOver(id, timeoutMs!);
    throw error;
  } finally {
    over.abort();
  }
}

async function untilEnded(
  { http, api }: Session,
  id: string,
  { progress, signal }: { progress: Progress; signal: AbortSignal },
): Promise<DeploymentResult> {
  const events = follow(http, `/v1/deployments/${encodeURIComponent(id)}/events`, {
    signal,
    patienceMs: LONG_PATIENCE_MS,
    isOver: async () => isTerminal((await api.result(id)).deployment.status),
  });
  for await (const event of events) {
    showEvent(event, progress);
    if (isVerdict(event)) return resultIn(event) ?? api.result(id);
  }
  return api.result(id);
}

/** A verdict carries what the deployment came to; an older control plane's does not. */
function resultIn({ data }: StreamEvent): DeploymentResult | null {
  return (JSON.parse(data) as { readonly result?: DeploymentResult }).result ?? null;
}

/** What the steps say is a comfort: a log that cannot be read is no reason to stop waiting. */
async function showLog(session: Session, id: string, { progress, signal }: { progress: Progress; signal: AbortSignal }): Promise<void> {
  try {
    for await (const { step, text } of deploymentLines(session, id, { follow: true, tail: 1000, signal })) {
      if (step) progress.step({ change: "line", id: step, line: text });
    }
  } catch {
    // The events tell all that matters.
  }
}

function detached(id: string): Failure {
  const hint = `\`helix status --wait ${id}\` goes on waiting, \`helix cancel ${id}\` cancels it.`;
  return new Failure(new EngineError("DETACHED", `Stopped waiting; deployment ${id} goes on.`, { hint }), { deployment: { id } });
}

function waitOver(id: string, timeoutMs: number): Failure {
  const hint = `\`helix status --wait ${id}\` goes on waiting.`;
  const message = `Deployment ${id} did not end within ${timeoutMs / 1000} s; it goes on.`;
  return new Failure(new EngineError("WAIT_TIMEOUT", message, { hint }), { deployment: { id } });
}

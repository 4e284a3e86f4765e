import { EngineError, isTerminal } from "@helixstack/core/client";
import type { DeploymentResult } from "../client/wire.ts";
import { follow } from "../client/follow.ts";
import { Failure } from "../failure.ts";
import { Interrupted } from "../interrupt.ts";
import type { Progress } from "../output/progress.ts";
import { LONG_PATIENCE_MS, type Session } from "../plane/session.ts";
import { showEvent } from "./show-events.ts";

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
  { http, api }: Session,
  id: string,
  { progress, interrupted, timeoutMs }: AwaitOptions,
): Promise<DeploymentResult> {
  const timeout = timeoutMs === undefined ? null : AbortSignal.timeout(timeoutMs);
  const signal = timeout ? AbortSignal.any([interrupted, timeout]) : interrupted;
  try {
    for (;;) {
      const events = follow(http, `/v1/deployments/${encodeURIComponent(id)}/events`, {
        signal,
        patienceMs: LONG_PATIENCE_MS,
        endsWithServer: true,
        onWaiting: (reason) => progress.say(`waiting for the control plane: ${reason}`),
      });
      for await (const event of events) {
        showEvent(event, progress);
        if (endsDeployment(event)) break;
      }
      const result = await api.result(id);
      if (isTerminal(result.deployment.status)) return result;
    }
  } catch (error) {
    if (interrupted.aborted && isAbort(error)) throw detached(id);
    if (timeout?.aborted && isAbort(error)) throw waitOver(id, timeoutMs!);
    throw error;
  }
}

function endsDeployment({ event, data }: { readonly event: string; readonly data: string }): boolean {
  if (!event.startsWith("deployment.")) return false;
  const { state, status } = JSON.parse(data) as { state?: string; status?: string };
  const reached = state ?? status;
  return reached !== undefined && isTerminal(reached as never);
}

function isAbort(error: unknown): boolean {
  return error instanceof Interrupted || (error instanceof Error && (error.name === "AbortError" || error.name === "TimeoutError"));
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

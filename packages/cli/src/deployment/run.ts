import { randomUUID } from "node:crypto";
import type { Cli } from "../cli.ts";
import type { DeploymentInput } from "../client/api.ts";
import { onInterrupt, unlessInterrupted } from "../interrupt.ts";
import { type Progress, createProgress } from "../output/progress.ts";
import { LONG_PATIENCE_MS, type Session, type SessionOptions, openSession } from "../plane/session.ts";
import { awaitResult } from "./await-result.ts";
import { presentResult } from "./present.ts";

export interface RunOptions {
  readonly start: SessionOptions["start"];
  readonly detach?: boolean | undefined;
  /** What to ask for, or what sends the source first, saying how far it is, and then knows it. */
  readonly prepare: DeploymentInput | ((session: Session, say: (note: string) => void) => Promise<DeploymentInput>);
}

/** Asks for a deployment and, unless detached, waits for its end and prints it: the common body of `deploy`, `rollback` and `destroy`. */
export async function runDeployment(cli: Cli, { start, detach, prepare }: RunOptions): Promise<void> {
  const sinceMs = performance.now();
  const progress = createProgress(cli.err);
  const interrupted = onInterrupt();
  try {
    const { session, id } = await unlessInterrupted(interrupted, submit(cli, { start, prepare, progress }));
    if (detach) {
      progress.stop();
      const deployment = { id, status: "queued", noChange: false };
      cli.result({ deployment }, () => id);
      return cli.note(`  next: helix status --wait ${id}`);
    }
    const result = await awaitResult(session, id, { progress, interrupted });
    progress.stop();
    presentResult(cli, result, { sinceMs });
  } finally {
    progress.stop();
  }
}

type Submit = Pick<RunOptions, "start" | "prepare"> & { readonly progress: Progress };

async function submit(cli: Cli, { start, prepare, progress }: Submit): Promise<{ readonly session: Session; readonly id: string }> {
  const session = await asStep(progress, "control plane", (say) =>
    openSession(cli, { start, patienceMs: LONG_PATIENCE_MS, onProgress: say, onWaiting: (note) => progress.say(`  ${note}`) }),
  );
  const input = prepare instanceof Function ? await asStep(progress, "source", (say) => prepare(session, say)) : prepare;
  const { id } = await session.api.createDeployment(input, randomUUID());
  return { session, id };
}

/** Shows work of the command itself like a step of the deployment. */
async function asStep<T>(progress: Progress, title: string, work: (say: (note: string) => void) => Promise<T>): Promise<T> {
  const id = title;
  progress.step({ change: "begin", id, title, plane: null });
  try {
    const value = await work((note) => progress.step({ change: "note", id, note }));
    progress.step({ change: "end", id, state: "done", note: null });
    return value;
  } catch (error) {
    progress.step({ change: "end", id, state: "failed", note: null });
    throw error;
  }
}

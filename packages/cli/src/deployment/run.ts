import { randomUUID } from "node:crypto";
import type { Cli } from "../cli.ts";
import type { DeploymentInput } from "../client/api.ts";
import { onInterrupt, unlessInterrupted } from "../interrupt.ts";
import { type Progress, createProgress } from "../output/progress.ts";
import { LONG_PATIENCE_MS, type Session, type SessionOptions, openWakingSession } from "../plane/session.ts";
import { awaitResult } from "./await-result.ts";
import { presentResult } from "./present.ts";

export interface RunOptions {
  readonly start: SessionOptions["start"];
  readonly detach?: boolean | undefined;
  /** Looks at what is here, before anything is started or sent. */
  readonly prepare: (step: StepRunner) => Promise<Prepared>;
}

/** Shows work of the command itself like a step of the deployment; `say` tells how far it is. */
export type StepRunner = <T>(title: string, work: (say: (note: string) => void) => Promise<T>) => Promise<T>;

export interface Prepared {
  /** Asked before a plane is started: what it rejects with ends the command. */
  readonly check?: () => Promise<void>;
  /** Sends what is needed and knows then what to ask for. */
  readonly send: (session: Session) => Promise<DeploymentInput>;
}

/** Asks for what needs no source. */
export function runRequest(
  cli: Cli,
  { input, ...options }: Omit<RunOptions, "prepare"> & { readonly input: DeploymentInput },
): Promise<void> {
  return runDeployment(cli, { ...options, prepare: () => Promise.resolve({ send: () => Promise.resolve(input) }) });
}

/** Asks for a deployment and, unless detached, waits for its end and prints it: the common body of `deploy`, `rollback` and `destroy`. */
export async function runDeployment(cli: Cli, options: RunOptions): Promise<void> {
  const sinceMs = performance.now();
  const progress = createProgress(cli.err);
  const interrupted = onInterrupt();
  try {
    const { session, id } = await unlessInterrupted(interrupted, submit(cli, { ...options, progress }));
    if (options.detach) {
      progress.stop();
      cli.result({ deployment: { id, status: "queued", noChange: false } }, () => id);
      return cli.note(`  next: helix status --wait ${id}`);
    }
    const result = await awaitResult(session, id, { progress, interrupted });
    progress.stop();
    presentResult(cli, result, { sinceMs });
  } finally {
    progress.stop();
  }
}

interface Submitted {
  readonly session: Session;
  readonly id: string;
}

async function submit(cli: Cli, { start, prepare, progress }: RunOptions & { readonly progress: Progress }): Promise<Submitted> {
  const step = stepRunner(progress);
  const preparing = prepare(step);
  // A plane that is there is woken while the source is looked at; one that is not there is started for a source that can be deployed.
  const opening = openWakingSession(cli, {
    start,
    patienceMs: LONG_PATIENCE_MS,
    beforeStart: async () => (await preparing).check?.(),
    onProgress: (note) => progress.step({ change: "note", id: PLANE, note }),
    onWaiting: (note) => progress.say(`  ${note}`),
  });
  opening.catch(() => {});
  const { send } = await preparing;
  const { session, awake } = await step(PLANE, () => opening);
  const input = await send(session);
  await awake;
  const { id } = await session.api.createDeployment(input, randomUUID());
  return { session, id };
}

/** The step in which the control plane is found or started. */
const PLANE = "control plane";

function stepRunner(progress: Progress): StepRunner {
  return async (title, work) => {
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
  };
}

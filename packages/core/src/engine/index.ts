import type { Queue, Scope, WakeJob } from "../ports/index.ts";
import { candidates } from "./candidates.ts";
import type { EngineDeps } from "./deps.ts";
import { type PreviewInput, preview } from "./preview.ts";
import { recover } from "./recover.ts";
import { relay } from "./relay.ts";
import { runJob } from "./run-job.ts";
import { status } from "./status.ts";
import { sweep } from "./sweep.ts";
import { type TakeoverDeps, type TakeoverOptions, takeover } from "./takeover.ts";
import type { Candidate, EnvironmentNames, EnvironmentStatus, Preview, SweepReport } from "./views.ts";

export type { EngineDeps } from "./deps.ts";
export type { PolicyInput } from "./policy-input.ts";
export type { PreviewInput } from "./preview.ts";
export * from "./views.ts";

/** What the API asks and what a worker runs. */
export interface Engine {
  /** What a deploy would do, and what the policies say. Writes nothing. */
  plan(scope: Scope, input: PreviewInput): Promise<Preview>;
  /** What is live and how it is. Rejects with `PROJECT_NOT_FOUND`, `ENVIRONMENT_NOT_FOUND`. */
  status(scope: Scope, names: EnvironmentNames): Promise<EnvironmentStatus>;
  /** Releases that a rollback can go to, newest first. Rejects like `status`. */
  candidates(scope: Scope, names: EnvironmentNames): Promise<readonly Candidate[]>;
  /** What differs between the ledger and the world. Changes nothing. */
  sweep(scope: Scope): Promise<SweepReport>;
  /** Asks for the repair of every environment that is not as it should be; answers with their ids. */
  recover(scope: Scope): Promise<readonly string[]>;
  /** Works on a run, if it is to be had. For one that is being worked on here already it resolves at once, and the run is looked at again after that. Never rejects. */
  runJob(job: WakeJob, worker: string, signal: AbortSignal): Promise<void>;
  /** Wakes workers until the signal fires. Never rejects. */
  relay(queue: Pick<Queue, "wake">, signal: AbortSignal): Promise<void>;
  /** Takes runs from dead workers until the signal fires. Never rejects. */
  takeover(probe: TakeoverDeps["probe"], options: TakeoverOptions): Promise<void>;
}

/**
 * The engine on what it is given. Cancelling is the ledger's `requestCancel`: a worker that runs the deployment sees it and stops.
 *
 * @example
 * const engine = createEngine(deps);
 * await queue.consume((job) => engine.runJob(job, worker, signal), { concurrency: 8 });
 */
export function createEngine(deps: EngineDeps): Engine {
  /** Runs at work; true for those that were asked for once more meanwhile. */
  const atWork = new Map<string, boolean>();
  return {
    plan: (scope, input) => preview(deps, scope, input),
    status: (scope, names) => status(deps, scope, names),
    candidates: (scope, names) => candidates(deps, scope, names),
    sweep: (scope) => sweep(deps, scope),
    recover: (scope) => recover(deps, scope),
    async runJob(job, worker, signal) {
      if (atWork.has(job.run)) return void atWork.set(job.run, true);
      do {
        atWork.set(job.run, false);
        await runJob(deps, job, { worker, signal });
      } while (atWork.get(job.run));
      atWork.delete(job.run);
    },
    relay: (queue, signal) => relay({ ...deps, queue }, signal),
    takeover: (probe, options) => takeover({ ...deps, probe, isAtWork: (run) => atWork.has(run) }, options),
  };
}

import type { Digest } from "@helixstack/sdk";
import type { Manifest } from "../domain/manifest.ts";
import type { DeploymentPlan, ServicePlan } from "../domain/plan.ts";
import { EngineError } from "../domain/errors.ts";
import type {
  DeploymentRecord,
  EnvironmentRecord,
  Grip,
  LedgerWrite,
  Principal,
  ReleaseRecord,
  RunRecord,
  SnapshotEntry,
} from "../ports/index.ts";
import { type Ask, callPlugin } from "./call.ts";
import type { Clearance } from "./clearance.ts";
import type { EngineDeps } from "./deps.ts";
import { type Journal, type StepRef, createJournal } from "./journal.ts";
import { type LogSink, createLogSink } from "./log-sink.ts";
import { type Place, placeOf } from "./place.ts";
import { type Stop, watchStop } from "./stop.ts";
import { timeNow } from "./time-now.ts";

/** A run that this worker holds: all that its steps share. */
export interface Run {
  readonly deps: EngineDeps;
  readonly grip: Grip;
  readonly record: RunRecord;
  readonly place: Place;
  readonly environment: EnvironmentRecord;
  readonly deployment: DeploymentRecord;
  /** The release that serves while the run begins. */
  readonly live: ReleaseRecord | null;
  /** The release that a rollback returns to. */
  readonly target: ReleaseRecord | null;
  /** What is to be deployed; null for a destroy. */
  readonly manifest: Manifest | null;
  /** The entries of the source that is, or was, deployed; null where it is not there any more. Read once. */
  readonly source: () => Promise<readonly SnapshotEntry[] | null>;
  /** Who asked for the deployment. Read once. */
  readonly actor: () => Promise<Principal | null>;
  readonly journal: Journal;
  readonly stop: Stop;
  readonly log: LogSink;
  /** Null until the plan step is done. */
  plan: DeploymentPlan | null;
  /** Ends the calls of the current step. */
  signal: AbortSignal;
  /** What the policies allowed in this very run. */
  clearance: Clearance | null;
  /** What the live release was allowed with, once somebody showed it. */
  carried: Clearance | null;
}

/** Reads everything of a claimed run. */
export async function openRun(
  deps: EngineDeps,
  { grip, record, shutdown }: { grip: Grip; record: RunRecord; shutdown: AbortSignal },
): Promise<Run> {
  const { ledger } = deps;
  const { scope } = grip;
  const [{ id: installation }, environment, deployment, steps] = await Promise.all([
    ledger.installation(),
    ledger.environment(scope, grip.environment),
    ledger.deployment(scope, grip.deployment),
    ledger.steps(scope, grip.deployment),
  ]);
  if (!environment || !deployment) throw new EngineError("BUG", `run ${grip.run} belongs to a deployment that is not in the ledger`);
  const { request } = deployment;
  const [live, target] = await Promise.all([
    environment.liveRelease ? ledger.release(scope, environment.liveRelease) : null,
    request.toRelease ? ledger.release(scope, request.toRelease) : null,
  ]);
  const stop = watchStop(deps, { grip, deployment, shutdown });
  const snapshot = (request.snapshot ?? target?.snapshot ?? null) as Digest | null;
  return {
    deps,
    grip,
    record,
    place: placeOf(scope, { installation, environment }),
    environment,
    deployment,
    live,
    target,
    manifest: request.manifest ?? target?.manifest ?? null,
    source: once(async () => (snapshot && (await deps.sources.getSnapshot(snapshot))?.entries) || null),
    actor: once(() => ledger.principal(scope, scope.principal)),
    journal: createJournal(ledger, { grip, steps }),
    stop,
    log: createLogSink(deps, deployment.id),
    plan: deployment.plan,
    signal: stop.signal,
    clearance: null,
    carried: null,
  };
}

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | null = null;
  return () => (reading ??= read());
}

export async function closeRun(run: Run): Promise<void> {
  run.stop.close();
  await run.log.flush();
}

/** One call of a step. */
export interface Act extends Ask {
  /** Written together with the intent: what the call is about to make. */
  readonly writes?: readonly LedgerWrite[];
}

/** Writes down the intent, then calls. The caller writes down the outcome. */
export async function act<T>(run: Run, step: StepRef, call: Act): Promise<T> {
  const { deps, grip, log } = run;
  const { version } = deps.plugins.get(call.plane, call.plugin).manifest;
  const operationId = await run.journal.intend(step, { plugin: `${call.plugin}@${version}`, writes: call.writes ?? [] });
  return callPlugin<T>(deps, run.place, {
    signal: run.signal,
    ...call,
    operationId,
    fence: grip.fence,
    onLog: (line) => log.write({ ...line, step: step.id }),
    onProgress: (note) => log.write({ at: timeNow(deps), level: "info", step: step.id, text: note }),
  });
}

/** The plan, once there is one. */
export function planOf({ plan, deployment }: Run): DeploymentPlan {
  if (plan) return plan;
  throw new EngineError("BUG", `deployment ${deployment.id} has no plan yet`);
}

export function manifestOf({ manifest, deployment }: Run): Manifest {
  if (manifest) return manifest;
  throw new EngineError("BUG", `deployment ${deployment.id} has no manifest`);
}

export function servicePlan(run: Run, service: string | null): ServicePlan {
  const found = planOf(run).services.find((candidate) => candidate.service === service);
  if (found) return found;
  throw new EngineError("BUG", `the plan of deployment ${run.deployment.id} has no service ${service}`);
}

/** The id of the release that this deployment makes: that of the deployment, so that a successor makes the same. */
export function releaseOf({ deployment, target }: Run): string {
  return target?.id ?? deployment.id.replace(/^dep_/, "rel_");
}

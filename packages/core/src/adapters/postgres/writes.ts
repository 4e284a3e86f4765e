import type { Grip, LedgerWrite } from "../../ports/ledger.ts";
import type { RunRecord } from "../../ports/records.ts";
import { EngineError } from "../../domain/errors.ts";
import { endDeployment } from "./end-deployment.ts";
import { deploymentEvent, deploymentStream, type NewEvent } from "./events.ts";
import type { MakeId } from "./ids.ts";
import { wakeRuns } from "./outbox.ts";
import { isStepWrite, writeSteps } from "./step-writes.ts";
import { json, together, type Trx } from "./transaction.ts";
import * as world from "./world-writes.ts";
import * as records from "./record-writes.ts";

/** What every write of a commit needs. The grip has been checked. */
export interface CommitContext {
  readonly trx: Trx;
  readonly grip: Grip;
  readonly kind: RunRecord["kind"];
  readonly makeId: MakeId;
}

export type WriteOf<K extends LedgerWrite["write"]> = Extract<LedgerWrite, { write: K }>;
export type Applied = Promise<readonly NewEvent[]>;

/** All writes of a commit; answers with the events that tell of them, in the order of the writes. */
export async function applyWrites(context: CommitContext, writes: readonly LedgerWrite[]): Applied {
  const others = writes.filter((write) => !isStepWrite(write));
  const [steps, ...told] = await together([
    writeSteps(context, writes.filter(isStepWrite)),
    ...others.map((write) => applyWrite(context, write as WriteOf<Alone>)),
  ]);
  const events = new Map([...steps, ...others.map((write, at) => [write, told[at]!] as const)]);
  return writes.flatMap((write) => events.get(write)!);
}

type Alone = Exclude<LedgerWrite["write"], "step.intend" | "step.end">;

function applyWrite(context: CommitContext, write: WriteOf<Alone>): Applied {
  const apply = WRITES[write.write] as (context: CommitContext, write: LedgerWrite) => Applied;
  return apply(context, write);
}

const WRITES: { readonly [K in Alone]: (context: CommitContext, write: WriteOf<K>) => Applied } = {
  "deployment.plan": planDeployment,
  "deployment.compensate": compensate,
  "deployment.end": end,
  "release.create": records.createRelease,
  "revision.create": world.createRevision,
  "revision.update": world.updateRevision,
  "routes.intend": world.intendRoutes,
  "routes.set": world.setRoutes,
  "volume.want": world.wantVolume,
  "volume.update": world.updateVolume,
  "build.record": records.recordBuild,
  "decision.record": records.recordDecision,
  event: ({ grip }, { type, data }) => Promise.resolve([{ stream: deploymentStream(grip.deployment), type, data }]),
  "run.sleep": sleepRun,
  "run.end": endRun,
};

async function planDeployment(context: CommitContext, { plan, noChange }: WriteOf<"deployment.plan">): Applied {
  await updateDeployment(context)
    .set({ plan: json(plan), no_change: noChange })
    .execute();
  const steps = plan.steps.map((step) => step.id);
  return deploymentEvent(context.grip, "deployment.planned", { noChange, steps });
}

async function compensate(context: CommitContext, { verdict, error }: WriteOf<"deployment.compensate">): Applied {
  const update = updateDeployment(context).set({ state: "compensating", error: json(error) });
  const { numUpdatedRows } = await update.where("state", "in", ["running", "compensating"]).executeTakeFirst();
  if (numUpdatedRows === 0n) throw new EngineError("BUG", `deployment ${context.grip.deployment} cannot compensate: it does not run`);
  return deploymentEvent(context.grip, "deployment.compensating", { verdict, error: { code: error.code, message: error.message } });
}

async function end({ trx, grip, kind, makeId }: CommitContext, write: WriteOf<"deployment.end">): Applied {
  if (kind !== "main") throw new EngineError("BUG", `a ${kind} run cannot end deployment ${grip.deployment}`);
  const { deployment, environment, run } = grip;
  const ending = { organization: grip.scope.organization, deployment, environment, run, runState: "done", verdict: write } as const;
  return endDeployment(trx, ending, makeId);
}

async function sleepRun({ trx, grip, kind }: CommitContext, { dueAt }: WriteOf<"run.sleep">): Applied {
  await updateRun(trx, grip).set({ state: "ready", worker: null, due_at: dueAt }).execute();
  if (kind === "repair") await wakeDeployments(trx, grip);
  await wakeRuns(trx, grip.scope.organization, [grip.run]);
  return [];
}

async function endRun({ trx, grip, kind }: CommitContext): Applied {
  if (kind === "main") throw new EngineError("BUG", `main run ${grip.run} ends with its deployment's verdict`);
  await updateRun(trx, grip).set({ state: "done", worker: null }).execute();
  if (kind === "repair") await wakeDeployments(trx, grip);
  return deploymentEvent(grip, `${kind}.done`, { run: grip.run });
}

/** A deployment that came while the repair was at work. */
async function wakeDeployments(trx: Trx, { scope, environment }: Grip): Promise<void> {
  const runs = trx.selectFrom("run").select("id").where("organization", "=", scope.organization).where("environment", "=", environment);
  const ready = await runs.where("kind", "=", "main").where("state", "=", "ready").execute();
  await wakeRuns(
    trx,
    scope.organization,
    ready.map(({ id }) => id),
  );
}

function updateRun(trx: Trx, grip: Grip) {
  return trx.updateTable("run").where("organization", "=", grip.scope.organization).where("id", "=", grip.run);
}

function updateDeployment({ trx, grip }: CommitContext) {
  const update = trx.updateTable("deployment").where("organization", "=", grip.scope.organization);
  return update.where("id", "=", grip.deployment);
}

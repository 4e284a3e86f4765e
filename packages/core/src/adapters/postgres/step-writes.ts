import { sql } from "kysely";
import { EngineError } from "../../domain/errors.ts";
import { deploymentStream } from "./events.ts";
import { jsonOrNull } from "./transaction.ts";
import type { Applied, CommitContext, WriteOf } from "./writes.ts";

/** A step that is intended again keeps its place; what is known of the earlier try is replaced. */
export async function intendStep({ trx, grip }: CommitContext, { step }: WriteOf<"step.intend">): Applied {
  const attempt = {
    state: "intended",
    attempt: step.attempt,
    operation_id: step.operationId,
    plugin: step.plugin,
    fence: grip.fence,
    worker: grip.worker,
    outcome: null,
    error: null,
    started_at: sql<string>`clock_timestamp()`,
    ended_at: null,
  } as const;
  const { organization } = grip.scope;
  await trx
    .insertInto("step")
    .values({ organization, deployment: grip.deployment, id: step.id, kind: step.kind, service: step.service, ...attempt })
    .onConflict((conflict) => conflict.columns(["organization", "deployment", "id"]).doUpdateSet(attempt))
    .execute();
  const { id, kind, service, plugin } = step;
  const data = { step: id, kind, service, attempt: step.attempt, plugin };
  return [{ stream: deploymentStream(grip.deployment), type: "step.started", data }];
}

export async function endStep({ trx, grip }: CommitContext, write: WriteOf<"step.end">): Applied {
  const { organization } = grip.scope;
  const row = await trx
    .updateTable("step")
    .set({
      state: write.state,
      outcome: jsonOrNull(write.outcome),
      error: jsonOrNull(write.error),
      ended_at: sql<string>`clock_timestamp()`,
    })
    .where("organization", "=", organization)
    .where("deployment", "=", grip.deployment)
    .where("id", "=", write.step)
    .returning(["kind", "service", "attempt", "plugin"])
    .executeTakeFirst();
  if (row === undefined) throw new EngineError("BUG", `step ${write.step} of deployment ${grip.deployment} ended before it was intended`);
  const error = write.error === undefined ? {} : { error: { code: write.error.code, message: write.error.message } };
  return [{ stream: deploymentStream(grip.deployment), type: `step.${write.state}`, data: { step: write.step, ...row, ...error } }];
}

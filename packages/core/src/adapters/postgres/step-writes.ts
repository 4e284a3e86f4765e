import { type InsertObject, sql } from "kysely";
import { EngineError } from "../../domain/errors.ts";
import type { Grip, LedgerWrite } from "../../ports/ledger.ts";
import { deploymentStream, type NewEvent } from "./events.ts";
import type { HelixSchema } from "./schema.ts";
import { jsonOrNull, together, type Trx } from "./transaction.ts";
import type { CommitContext, WriteOf } from "./writes.ts";

type StepWrite = WriteOf<"step.intend"> | WriteOf<"step.end">;
type Step = WriteOf<"step.intend">["step"];

const NOW = sql<string>`clock_timestamp()`;

/** What becomes of one step in one commit. */
interface Fate {
  /** Null: it was intended by an earlier commit. */
  step: Step | null;
  /** When it began, where that is told. */
  began: string | undefined;
  end: WriteOf<"step.end"> | null;
}

export function isStepWrite(write: LedgerWrite): write is StepWrite {
  return write.write === "step.intend" || write.write === "step.end";
}

/** Writes what becomes of all steps of a commit, those that begin in it at once. Answers with the events of each write. */
export async function writeSteps(
  context: CommitContext,
  writes: readonly StepWrite[],
): Promise<ReadonlyMap<LedgerWrite, readonly NewEvent[]>> {
  const fates = new Map<string, Fate>();
  for (const write of writes) {
    if (write.write === "step.intend") fates.set(write.step.id, { step: write.step, began: write.at, end: null });
    else fates.set(write.step, { step: null, began: undefined, ...fates.get(write.step), end: write });
  }
  const begun = [...fates.values()].flatMap(({ step, ...fate }) => (step ? [rowOf(context.grip, { step, ...fate })] : []));
  const ids = [...fates.keys()];
  const [, ...steps] = await together([
    begun.length > 0 ? insert(context.trx, begun) : Promise.resolve(),
    ...[...fates.values()].map(({ step, end }) => (step ? Promise.resolve(step) : endKnown(context, end!))),
  ]);
  const known = new Map(ids.map((id, at) => [id, steps[at]!]));
  return new Map(writes.map((write) => [write, [eventOf(context.grip, { write, step: known.get(idOf(write))! })]]));
}

type Row = InsertObject<HelixSchema, "step">;

function rowOf(grip: Grip, { step, began, end }: Fate & { readonly step: Step }): Row {
  return {
    organization: grip.scope.organization,
    deployment: grip.deployment,
    id: step.id,
    kind: step.kind,
    service: step.service,
    state: end?.state ?? "intended",
    attempt: step.attempt,
    operation_id: step.operationId,
    plugin: step.plugin,
    fence: grip.fence,
    worker: grip.worker,
    outcome: jsonOrNull(end?.outcome),
    error: jsonOrNull(end?.error),
    started_at: began ?? NOW,
    ended_at: end ? (end.at ?? NOW) : null,
  };
}

/** A step that is intended again keeps its place; what is known of the earlier try is replaced. */
async function insert(trx: Trx, rows: readonly Row[]): Promise<void> {
  await trx
    .insertInto("step")
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(["organization", "deployment", "id"]).doUpdateSet((set) => ({
        state: set.ref("excluded.state"),
        attempt: set.ref("excluded.attempt"),
        operation_id: set.ref("excluded.operation_id"),
        plugin: set.ref("excluded.plugin"),
        fence: set.ref("excluded.fence"),
        worker: set.ref("excluded.worker"),
        outcome: set.ref("excluded.outcome"),
        error: set.ref("excluded.error"),
        started_at: set.ref("excluded.started_at"),
        ended_at: set.ref("excluded.ended_at"),
      })),
    )
    .execute();
}

async function endKnown({ trx, grip }: CommitContext, end: WriteOf<"step.end">): Promise<Omit<Step, "id" | "operationId">> {
  const row = await trx
    .updateTable("step")
    .set({
      state: end.state,
      outcome: jsonOrNull(end.outcome),
      error: jsonOrNull(end.error),
      ended_at: end.at ?? NOW,
    })
    .where("organization", "=", grip.scope.organization)
    .where("deployment", "=", grip.deployment)
    .where("id", "=", end.step)
    .returning(["kind", "service", "attempt", "plugin"])
    .executeTakeFirst();
  if (row === undefined) throw new EngineError("BUG", `step ${end.step} of deployment ${grip.deployment} ended before it was intended`);
  return row;
}

function eventOf({ deployment }: Grip, { write, step }: { write: StepWrite; step: Omit<Step, "id" | "operationId"> }): NewEvent {
  const { kind, service, attempt, plugin } = step;
  const data = { step: idOf(write), kind, service, attempt, plugin };
  const stream = deploymentStream(deployment);
  if (write.write === "step.intend") return { stream, type: "step.started", data };
  const error = write.error === undefined ? {} : { error: { code: write.error.code, message: write.error.message } };
  return { stream, type: `step.${write.state}`, data: { ...data, ...error } };
}

function idOf(write: StepWrite): string {
  return write.write === "step.intend" ? write.step.id : write.step;
}

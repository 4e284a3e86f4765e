import { sql } from "kysely";
import type { RunLedger } from "../../ports/ledger.ts";
import type { LedgerContext } from "./context.ts";
import { appendEvents, deploymentEvent, type NewEvent, planeEvent } from "./events.ts";
import { toRun } from "./rows.ts";
import type { Row } from "./schema.ts";
import { scoped, together, type Trx } from "./transaction.ts";
import type { WakeJob } from "../../ports/queue.ts";

/** See `RunLedger.claim`. */
export function claim({ db }: LedgerContext): RunLedger["claim"] {
  return async (job, worker) => {
    // Most wake-ups that come twice end here, without a transaction.
    const seen = await claimable(db, job, worker).executeTakeFirst();
    if (seen === undefined) return null;
    return scoped(db, { organization: job.organization }, async (trx) => {
      const [held, run, repair] = await together([
        nextFence(trx, seen),
        claimable(trx, job, worker).forNoKeyUpdate("r").executeTakeFirst(),
        heldRepair(trx, seen),
      ]);
      if (run === undefined || !isItsTurn(run, { active: held.active_deployment, isRepaired: repair !== undefined })) return null;
      const [taken, { principal, events }] = await together([
        take(trx, run, { worker, fence: held.last_fence }),
        run.kind === "main" ? begin(trx, run) : load(trx, run),
      ]);
      await appendEvents(trx, job.organization, [...resumed(run, worker), ...events]);
      const { organization, id, deployment, environment } = run;
      const grip = { scope: { organization, principal }, run: id, deployment, environment, worker, fence: taken.fence };
      return { grip, run: toRun(taken) };
    });
  };
}

/** See `RunLedger.raiseFence`. */
export function raiseFence({ db }: LedgerContext): RunLedger["raiseFence"] {
  return async ({ organization }, environment) =>
    (await scoped(db, { organization }, (trx) => nextFence(trx, { organization, environment }))).last_fence;
}

/**
 * Locks the environment's row as well. The fence grows over all runs of the environment: a plugin that has seen a revision in a cleanup must not
 * take the rollback which comes after it for an older owner. One that is handed out and not used harms nobody.
 */
function nextFence(trx: Trx, { organization, environment }: { readonly organization: string; readonly environment: string }) {
  return trx
    .updateTable("environment")
    .set((set) => ({ last_fence: set("last_fence", "+", 1) }))
    .where("organization", "=", organization)
    .where("id", "=", environment)
    .returning(["last_fence", "active_deployment"])
    .executeTakeFirstOrThrow();
}

/** Told when somebody goes on where a dead worker stopped. */
function resumed({ id, deployment, kind, crashes }: Row<"run">, worker: string): readonly NewEvent[] {
  return crashes === 0 ? [] : planeEvent({ deployment }, { type: "run.resumed", data: { run: id, kind, worker } });
}

/** Ready and due, or left behind by a worker that ended; for a worker that has not ended itself. */
function claimable(db: LedgerContext["db"], job: WakeJob, worker: string) {
  return db
    .selectFrom("run as r")
    .selectAll("r")
    .where("r.organization", "=", job.organization)
    .where("r.id", "=", job.run)
    .where((where) =>
      where.not(
        where.exists(where.selectFrom("worker as w").select("w.id").where("w.id", "=", worker).where("w.ended_at", "is not", null)),
      ),
    )
    .where((where) =>
      where.or([
        where.and([where("r.state", "=", "ready"), where("r.due_at", "<=", sql<string>`clock_timestamp()`)]),
        where.and([
          where("r.state", "=", "held"),
          where.exists(
            where.selectFrom("worker as w").select("w.id").whereRef("w.id", "=", "r.worker").where("w.ended_at", "is not", null),
          ),
        ]),
      ]),
    );
}

/** A cleanup disturbs nobody. A repair and a deployment wait for each other: one may stop the very revision which the other starts. */
function isItsTurn(run: Row<"run">, environment: { readonly active: string | null; readonly isRepaired: boolean }): boolean {
  if (run.kind === "cleanup") return true;
  if (run.kind === "repair") return environment.active === null;
  return environment.active === null ? !environment.isRepaired : environment.active === run.deployment;
}

function heldRepair(trx: Trx, { organization, environment }: Row<"run">) {
  const repairs = trx.selectFrom("run").select("id").where("organization", "=", organization).where("environment", "=", environment);
  return repairs.where("kind", "=", "repair").where("state", "=", "held").executeTakeFirst();
}

function take(trx: Trx, run: Row<"run">, { worker, fence }: { readonly worker: string; readonly fence: number }): Promise<Row<"run">> {
  return trx
    .updateTable("run")
    .set({ state: "held", worker, fence, woken_at: null })
    .where("organization", "=", run.organization)
    .where("id", "=", run.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

interface Begun {
  readonly principal: string;
  readonly events: readonly NewEvent[];
}

/** The deployment holds its environment from its first claim to its verdict. */
async function begin(trx: Trx, run: Row<"run">): Promise<Begun> {
  const { organization, deployment, environment } = run;
  const hold = trx.updateTable("environment").set({ active_deployment: deployment });
  const [, begun] = await together([
    hold.where("organization", "=", organization).where("id", "=", environment).execute(),
    trx
      .updateTable("deployment")
      .set({ state: "running", started_at: sql<string>`now()` })
      .where("organization", "=", organization)
      .where("id", "=", deployment)
      .where("state", "=", "queued")
      .returning("principal")
      .executeTakeFirst(),
  ]);
  if (begun === undefined) return load(trx, run);
  return { principal: begun.principal, events: deploymentEvent({ deployment, environment }, "deployment.running") };
}

async function load(trx: Trx, run: Row<"run">): Promise<Begun> {
  const query = trx.selectFrom("deployment").select("principal").where("organization", "=", run.organization);
  const { principal } = await query.where("id", "=", run.deployment).executeTakeFirstOrThrow();
  return { principal, events: [] };
}

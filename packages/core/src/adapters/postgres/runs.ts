import { sql } from "kysely";
import { EngineError } from "../../domain/errors.ts";
import type { RunLedger } from "../../ports/ledger.ts";
import type { WakeJob } from "../../ports/queue.ts";
import { claim, raiseFence } from "./claim.ts";
import { commit } from "./commit.ts";
import type { LedgerContext } from "./context.ts";
import { endDeployment } from "./end-deployment.ts";
import { appendEvents, type NewEvent, planeEvent } from "./events.ts";
import { lockEnvironment } from "./lock.ts";
import { nextWakeUp, relayOutbox, wakeRuns } from "./outbox.ts";
import { insertRepair, requestRepair } from "./repair.ts";
import type { Row } from "./schema.ts";
import { json, scoped, type Trx } from "./transaction.ts";
import { watchOutbox } from "./watch-outbox.ts";

/** At most this many lost wake-ups are sent again at once. */
const OVERDUE_LIMIT = 500;

export function runLedger(context: LedgerContext): RunLedger {
  const { db, listener } = context;
  return {
    requestRepair: requestRepair(context),
    raiseFence: raiseFence(context),
    claim: claim(context),
    commit: commit(context),
    takeAway: takeAway(context),

    heldRuns() {
      const query = db.selectFrom("run").select(["organization", "id as run", "worker", "crashes"]).where("state", "=", "held");
      return query.$narrowType<{ worker: string }>().orderBy("id").execute();
    },

    relayOutbox: (limit, send) => relayOutbox(db, limit, send),
    watchOutbox: (signal, onRow) => watchOutbox({ listener, nextWakeUp: () => nextWakeUp(db) }, { signal, onRow }),
    overdueRuns: (forMs) => overdueRuns(db, forMs),
  };
}

/** Each is given at most once in `forMs`: a long queue is not made longer by being asked about. */
function overdueRuns(db: LedgerContext["db"], forMs: number): Promise<readonly WakeJob[]> {
  const since = sql<string>`clock_timestamp() - ${forMs}::float8 * interval '1 millisecond'`;
  return db
    .with("overdue", (query) =>
      query
        .selectFrom("run")
        .select(["organization", "id"])
        .where("state", "=", "ready")
        .where("due_at", "<=", since)
        .where((where) => where.or([where("woken_at", "is", null), where("woken_at", "<=", since)]))
        .orderBy("due_at")
        .limit(OVERDUE_LIMIT)
        .forNoKeyUpdate()
        .skipLocked(),
    )
    .updateTable("run as r")
    .from("overdue")
    .set({ woken_at: sql<string>`clock_timestamp()` })
    .whereRef("r.organization", "=", "overdue.organization")
    .whereRef("r.id", "=", "overdue.id")
    .returning(["r.organization", "r.id as run"])
    .execute();
}

/**
 * See `RunLedger.takeAway`. A run that kills its worker too often is quarantined; a main run's deployment then fails, a cleanup run removes what it
 * made, and a repair run starts what it had stopped.
 */
function takeAway({ db, makeId }: LedgerContext): RunLedger["takeAway"] {
  return (job, { from, limit, reason }) =>
    scoped(db, job, async (trx) => {
      const { environment } = (await loadRun(trx, job).executeTakeFirst()) ?? {};
      if (environment === undefined) return;
      const place = await lockEnvironment(trx, { organization: job.organization, environment });
      const run = await loadRun(trx, job).where("state", "=", "held").where("worker", "=", from).forNoKeyUpdate().executeTakeFirst();
      if (run === undefined) return;
      const crashes = run.crashes + 1;
      const isQuarantined = crashes > limit;
      const state = isQuarantined ? "quarantined" : "ready";
      const update = trx.updateTable("run").set({ state, worker: null, crashes, due_at: sql<string>`now()` });
      await update.where("organization", "=", job.organization).where("id", "=", job.run).execute();
      const { deployment, kind } = run;
      const step = await openStep(trx, run);
      const lost = planeEvent({ deployment }, { type: "run.lost", data: { run: job.run, kind, worker: from, step, crashes, reason } });
      if (!isQuarantined) await wakeRuns(trx, job.organization, [job.run]);
      const ended = isQuarantined ? await quarantine(trx, { run, release: place?.live_release ?? null, crashes, reason, makeId }) : [];
      await appendEvents(trx, job.organization, [...lost, ...ended]);
    });
}

/** What the worker was about to do, or was doing: the newest step without an end. */
async function openStep(trx: Trx, { organization, deployment }: Row<"run">): Promise<string | null> {
  const query = trx.selectFrom("step").select("id").where("organization", "=", organization).where("deployment", "=", deployment);
  const row = await query.where("state", "=", "intended").orderBy("ordinal", "desc").limit(1).executeTakeFirst();
  return row?.id ?? null;
}

interface Quarantine {
  readonly run: Row<"run">;
  /** What is live in its environment. */
  readonly release: string | null;
  readonly crashes: number;
  readonly reason: string;
  readonly makeId: LedgerContext["makeId"];
}

async function quarantine(trx: Trx, { run, release, crashes, reason, makeId }: Quarantine): Promise<readonly NewEvent[]> {
  const { organization, deployment, environment, id } = run;
  const data = { run: id, kind: run.kind, crashes, reason };
  const told = planeEvent({ deployment }, { type: "run.quarantined", data });
  if (run.kind !== "main") return told;
  const message = `${crashes} workers in a row died while they ran this deployment; the last one: ${reason}`;
  const error = new EngineError("QUARANTINED", message).toDocument();
  const open = trx.updateTable("step").set({ state: "failed", error: json(error), ended_at: sql<string>`now()` });
  await open.where("organization", "=", organization).where("deployment", "=", deployment).where("state", "=", "intended").execute();
  const verdict = { state: "failed", error, cleanupAt: new Date().toISOString() } as const;
  const ending = { organization, environment, deployment, run: id, runState: "quarantined", verdict } as const;
  const ended = await endDeployment(trx, ending, makeId);
  const repair =
    release === null || (await isDestroy(trx, run)) ? [] : await insertRepair(trx, { organization, environment, release, makeId });
  return [...told, ...ended, ...repair];
}

/** What somebody wanted to be gone is not brought back. */
async function isDestroy(trx: Trx, { organization, deployment }: Row<"run">): Promise<boolean> {
  const query = trx.selectFrom("deployment").select("request").where("organization", "=", organization).where("id", "=", deployment);
  return (await query.executeTakeFirstOrThrow()).request.kind === "destroy";
}

function loadRun(trx: Trx, job: WakeJob) {
  return trx.selectFrom("run").selectAll().where("organization", "=", job.organization).where("id", "=", job.run);
}

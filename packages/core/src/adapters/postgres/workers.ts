import { sql } from "kysely";
import type { WorkerLedger } from "../../ports/ledger.ts";
import type { LedgerContext } from "./context.ts";
import { wakeRuns } from "./outbox.ts";
import { toWorker } from "./rows.ts";
import { json, type Db } from "./transaction.ts";

export function workerLedger({ db }: LedgerContext): WorkerLedger {
  return {
    async registerWorker(worker) {
      const { id, machine, boot, pid, startTicks, planes } = worker;
      await db
        .insertInto("worker")
        .values({ id, machine, boot, pid, start_ticks: startTicks, planes: json(planes) })
        .onConflict((conflict) => conflict.column("id").doNothing())
        .execute();
      await forgetOld(db);
    },

    async beat(worker) {
      const query = db.updateTable("worker").set((set) => ({ beat: set("beat", "+", 1) }));
      await query.where("id", "=", worker).where("ended_at", "is", null).execute();
    },

    endWorker: (worker) => endWorker(db, worker),

    async listWorkers({ live }) {
      let query = db.selectFrom("worker").selectAll().orderBy("id");
      if (live) query = query.where("ended_at", "is", null);
      return (await query.execute()).map(toWorker);
    },

    async recordHost(worker, host) {
      await db
        .insertInto("worker_host")
        .values({ worker, plugin: host.plugin, pid: host.pid, start_ticks: host.startTicks })
        .onConflict((conflict) => conflict.columns(["worker", "pid", "start_ticks"]).doUpdateSet({ plugin: host.plugin }))
        .execute();
    },

    async removeHost(worker, host) {
      const query = db.deleteFrom("worker_host").where("worker", "=", worker);
      await query.where("pid", "=", host.pid).where("start_ticks", "=", host.startTicks).execute();
    },

    async hosts(worker) {
      const rows = await db.selectFrom("worker_host").selectAll().where("worker", "=", worker).orderBy("pid").execute();
      return rows.map((row) => ({ plugin: row.plugin, pid: row.pid, startTicks: row.start_ticks }));
    },
  };
}

/** Each start of a process is a worker: those that ended long ago and hold nothing go, with their hosts. */
async function forgetOld(db: Db): Promise<void> {
  await sql`
    delete from helix.worker w
    where ended_at < now() - interval '7 days' and not exists (select from helix.run r where r.worker = w.id)
  `.execute(db);
}

/** What the worker still held is ready again at once, and no crash is counted: it left of its own will. */
async function endWorker(db: Db, worker: string): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const ended = sql<string>`coalesce(ended_at, now())`;
    await trx.updateTable("worker").set({ ended_at: ended }).where("id", "=", worker).execute();
    const runs = await trx
      .updateTable("run")
      .set({ state: "ready", worker: null, due_at: sql<string>`now()` })
      .where("state", "=", "held")
      .where("worker", "=", worker)
      .returning(["organization", "id"])
      .execute();
    for (const run of runs) await wakeRuns(trx, run.organization, [run.id]);
  });
}

import { sql } from "kysely";
import type { PolicyLedger } from "../../ports/ledger.ts";
import type { WaiverRecord } from "../../ports/records.ts";
import type { LedgerContext } from "./context.ts";
import { toDecision } from "./rows.ts";
import { type Db, scoped } from "./transaction.ts";

/** Decisions as a whole, and waivers. */
export function policyLedger({ db, makeId }: LedgerContext): PolicyLedger {
  return {
    async listDecisions(scope, { point, project, limit }) {
      let query = db
        .selectFrom("decision as c")
        .innerJoin("deployment as d", (join) => join.onRef("d.organization", "=", "c.organization").onRef("d.id", "=", "c.deployment"))
        .selectAll("c")
        .where("c.organization", "=", scope.organization)
        .where("c.point", "=", point);
      if (project !== null) {
        const named = db.selectFrom("project").select("id").where("organization", "=", scope.organization).where("name", "=", project);
        query = query.where("d.project", "in", named);
      }
      return (await query.orderBy("c.id", "desc").limit(limit).execute()).map(toDecision);
    },

    createWaiver: (scope, { project, environment, rule, path, reason, forMs }) =>
      scoped(db, scope, async (trx) => {
        const id = makeId("wvr");
        const { organization, principal } = scope;
        const expires_at = sql<string>`now() + ${forMs} * interval '1 millisecond'`;
        const values = { organization, id, project, environment, rule, path, reason, principal, expires_at };
        await trx.insertInto("waiver").values(values).execute();
        return (await waivers(trx, organization).where("w.id", "=", id).execute()).map(toWaiver)[0]!;
      }),

    async listWaivers(scope, { project, environment }) {
      let query = waivers(db, scope.organization).where("w.expires_at", ">", sql<string>`now()`);
      if (project !== null) query = query.where("w.project", "=", project);
      if (environment !== null)
        query = query.where((where) => where.or([where("w.environment", "=", environment), where("w.environment", "is", null)]));
      return (await query.orderBy("w.id").execute()).map(toWaiver);
    },
  };
}

function waivers(db: Pick<Db, "selectFrom">, organization: string) {
  return db
    .selectFrom("waiver as w")
    .innerJoin("principal as p", (join) => join.onRef("p.organization", "=", "w.organization").onRef("p.id", "=", "w.principal"))
    .selectAll("w")
    .select("p.name as principal_name")
    .where("w.organization", "=", organization);
}

type WaiverRow = Awaited<ReturnType<ReturnType<typeof waivers>["execute"]>>[number];

function toWaiver(row: WaiverRow): WaiverRecord {
  const { id, project, environment, rule, path, reason } = row;
  const principal = { id: row.principal, name: row.principal_name };
  return { id, project, environment, rule, path, reason, principal, createdAt: row.created_at, expiresAt: row.expires_at };
}

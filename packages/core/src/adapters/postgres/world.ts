import { EngineError } from "../../domain/errors.ts";
import { idOfNames } from "../../domain/ids.ts";
import type { WorldLedger } from "../../ports/ledger.ts";
import type { Scope } from "../../ports/scope.ts";
import type { LedgerContext } from "./context.ts";
import { appendEvents, environmentStream } from "./events.ts";
import { environmentNames } from "./environments.ts";
import { toRevision, toRouteTable, toVolume } from "./rows.ts";
import { scoped } from "./transaction.ts";

export function worldLedger({ db, makeId }: LedgerContext): WorldLedger {
  return {
    async revision(scope, id) {
      const query = db.selectFrom("revision").selectAll().where("organization", "=", scope.organization);
      const row = await query.where("id", "=", id).executeTakeFirst();
      return row === undefined ? null : toRevision(row);
    },

    async listRevisions(scope, { environment, states }) {
      let query = db.selectFrom("revision").selectAll().where("organization", "=", scope.organization);
      query = query.where("state", "not in", ["gone", "forgotten"]);
      if (environment !== undefined) query = query.where("environment", "=", environment);
      if (states !== undefined) query = query.where((where) => where("state", "=", where.fn.any(where.val(states))));
      return (await query.orderBy("id").execute()).map(toRevision);
    },

    async routeTables(scope, { environment }) {
      let query = db.selectFrom("route_table").selectAll().where("organization", "=", scope.organization);
      if (environment !== undefined) query = query.where("environment", "=", environment);
      return (await query.orderBy("environment").orderBy("plugin").execute()).map(toRouteTable);
    },

    async volumes(scope, { environment }) {
      let query = db.selectFrom("volume").selectAll().where("organization", "=", scope.organization);
      if (environment !== undefined) query = query.where("environment", "=", environment);
      return (await query.orderBy("id").execute()).map(toVolume);
    },

    async ensureUnit(scope, key) {
      const find = () =>
        db
          .selectFrom("unit")
          .select("id")
          .where("organization", "=", scope.organization)
          .where("environment", "=", key.environment)
          .where("service", "=", key.service)
          .where("plane", "=", key.plane)
          .where("plugin", "=", key.plugin)
          .executeTakeFirst();
      const found = await find();
      if (found !== undefined) return found.id;
      await db
        .insertInto("unit")
        .values({ organization: scope.organization, id: await unitId({ db, makeId }, scope, key), ...key })
        .onConflict((conflict) => conflict.columns(["organization", "environment", "service", "plane", "plugin"]).doNothing())
        .execute();
      return (await find())!.id;
    },

    forget: (scope, { kind, id, reason }) =>
      scoped(db, scope, async (trx) => {
        const row = await trx
          .updateTable(kind)
          .set({ state: "forgotten", forgotten_by: scope.principal, forgotten_reason: reason })
          .where("organization", "=", scope.organization)
          .where("id", "=", id)
          .returning("environment")
          .executeTakeFirst();
        if (row === undefined) throw new EngineError("NOT_FOUND", `the ledger has no ${kind} ${id}`, { hint: "Run `helix status`." });
        const data = { [kind]: id, reason, by: scope.principal };
        await appendEvents(trx, scope.organization, [{ stream: environmentStream(row.environment), type: `${kind}.forgotten`, data }]);
      }),
  };
}

type UnitKey = Parameters<WorldLedger["ensureUnit"]>[1];

/**
 * What there is one of in an environment (a route table) is named after it: when a restore has forgotten project and table, the next deployment of the
 * project finds the table that still serves, and its addresses.
 */
async function unitId({ db, makeId }: Pick<LedgerContext, "db" | "makeId">, scope: Scope, key: UnitKey): Promise<string> {
  if (key.service !== WHOLE) return makeId("unit");
  const { project, environment } = await environmentNames(db, scope, key.environment);
  return idOfNames("unit", [scope.organization, project, environment, key.plane, key.plugin]);
}

/** Stands where a service would. */
const WHOLE = "*";

import { sql } from "kysely";
import { EngineError } from "../../domain/errors.ts";
import { isTerminal } from "../../domain/states.ts";
import type { DeploymentLedger } from "../../ports/ledger.ts";
import type { Scope } from "../../ports/scope.ts";
import type { LedgerContext } from "./context.ts";
import { appendEvents, deploymentEvent } from "./events.ts";
import { lockEnvironment } from "./lock.ts";
import { toDeployment } from "./rows.ts";
import { json, scoped, type Trx } from "./transaction.ts";

/** See `DeploymentLedger.requestCancel`. A request that is repeated changes nothing. */
export function requestCancel({ db }: LedgerContext): DeploymentLedger["requestCancel"] {
  return (scope, id) =>
    scoped(db, scope, async (trx) => {
      const { environment } = await load(trx, scope, id);
      await lockEnvironment(trx, { organization: scope.organization, environment });
      const { state, cancel_requested_by: earlier } = await load(trx, scope, id);
      if (isTerminal(state)) throw new EngineError("DEPLOYMENT_ENDED", `deployment ${id} has ended already: it is ${state}`);
      if (earlier !== null) return toDeployment(await load(trx, scope, id));
      const place = { deployment: id, environment };
      if (state === "queued") {
        await cancelQueued(trx, scope, id);
        await appendEvents(trx, scope.organization, deploymentEvent(place, "deployment.cancelled", { by: scope.principal }));
      } else {
        await update(trx, scope, id).set({ cancel_requested_by: scope.principal }).execute();
        await appendEvents(trx, scope.organization, deploymentEvent(place, "deployment.cancel-requested", { by: scope.principal }));
      }
      return toDeployment(await load(trx, scope, id));
    });
}

async function cancelQueued(trx: Trx, scope: Scope, id: string): Promise<void> {
  const error = new EngineError("CANCELLED", "the deployment was cancelled before it began").toDocument();
  await update(trx, scope, id)
    .set({ state: "cancelled", cancel_requested_by: scope.principal, error: json(error), ended_at: sql<string>`now()` })
    .execute();
  const runs = trx.updateTable("run").set({ state: "done" }).where("organization", "=", scope.organization);
  await runs.where("deployment", "=", id).execute();
}

function update(trx: Trx, scope: Scope, id: string) {
  return trx.updateTable("deployment").where("organization", "=", scope.organization).where("id", "=", id);
}

function load(trx: Trx, scope: Scope, id: string) {
  return trx
    .selectFrom("deployment")
    .selectAll()
    .where("organization", "=", scope.organization)
    .where("id", "=", id)
    .executeTakeFirstOrThrow(() => new EngineError("DEPLOYMENT_NOT_FOUND", `there is no deployment ${id}`));
}

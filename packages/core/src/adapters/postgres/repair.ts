import type { RunLedger } from "../../ports/ledger.ts";
import type { LedgerContext } from "./context.ts";
import { appendEvents, deploymentEvent } from "./events.ts";
import { lockEnvironment } from "./lock.ts";
import { wakeRuns } from "./outbox.ts";
import { scoped } from "./transaction.ts";

/** See `RunLedger.requestRepair`. The run belongs to the deployment that made the live release. */
export function requestRepair({ db, makeId }: LedgerContext): RunLedger["requestRepair"] {
  return (scope, environment) =>
    scoped(db, scope, async (trx) => {
      const { organization } = scope;
      const place = await lockEnvironment(trx, { organization, environment });
      if (place === undefined || place.live_release === null || place.active_deployment !== null) return false;
      const release = await trx
        .selectFrom("release")
        .select("deployment")
        .where("organization", "=", organization)
        .where("id", "=", place.live_release)
        .executeTakeFirstOrThrow();
      const there = await trx
        .selectFrom("run")
        .select("id")
        .where("organization", "=", organization)
        .where("environment", "=", environment)
        .where("kind", "=", "repair")
        // One that was quarantined for this very release would kill the next worker too.
        .where((where) =>
          where.or([
            where("state", "in", ["waiting", "ready", "held"]),
            where.and([where("state", "=", "quarantined"), where("deployment", "=", release.deployment)]),
          ]),
        )
        .executeTakeFirst();
      if (there !== undefined) return false;
      const id = makeId("run");
      const run = { organization, id, deployment: release.deployment, environment, kind: "repair", state: "ready" } as const;
      await trx.insertInto("run").values(run).execute();
      await wakeRuns(trx, organization, [id]);
      const data = { run: id, release: place.live_release };
      await appendEvents(trx, organization, deploymentEvent({ deployment: release.deployment, environment }, "repair.queued", data));
      return true;
    });
}

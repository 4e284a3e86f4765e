import type { RunLedger } from "../../ports/ledger.ts";
import type { LedgerContext } from "./context.ts";
import { appendEvents, deploymentEvent, type NewEvent } from "./events.ts";
import type { MakeId } from "./ids.ts";
import { lockEnvironment } from "./lock.ts";
import { wakeRuns } from "./outbox.ts";
import { scoped, type Trx } from "./transaction.ts";

/** See `RunLedger.requestRepair`. */
export function requestRepair({ db, makeId }: LedgerContext): RunLedger["requestRepair"] {
  return (scope, environment) =>
    scoped(db, scope, async (trx) => {
      const { organization } = scope;
      const place = await lockEnvironment(trx, { organization, environment });
      if (place === undefined || place.live_release === null || place.active_deployment !== null) return false;
      const events = await insertRepair(trx, { organization, environment, release: place.live_release, makeId });
      await appendEvents(trx, organization, events);
      return events.length > 0;
    });
}

interface Repair {
  readonly organization: string;
  readonly environment: string;
  /** The live one. */
  readonly release: string;
  readonly makeId: MakeId;
}

/**
 * Puts a repair run into an environment that is locked and held by nobody, unless there is one. The run belongs to the deployment that made the live
 * release. Answers with the events to write; none where nothing was put.
 */
export async function insertRepair(trx: Trx, { organization, environment, release, makeId }: Repair): Promise<readonly NewEvent[]> {
  const { deployment } = await trx
    .selectFrom("release")
    .select("deployment")
    .where("organization", "=", organization)
    .where("id", "=", release)
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
        where.and([where("state", "=", "quarantined"), where("deployment", "=", deployment)]),
      ]),
    )
    .executeTakeFirst();
  if (there !== undefined) return [];
  const id = makeId("run");
  await trx.insertInto("run").values({ organization, id, deployment, environment, kind: "repair", state: "ready" }).execute();
  await wakeRuns(trx, organization, [id]);
  return deploymentEvent({ deployment, environment }, "repair.queued", { run: id, release });
}

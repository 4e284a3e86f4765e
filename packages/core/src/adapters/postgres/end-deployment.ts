import { sql } from "kysely";
import { EngineError, type ErrorDocument } from "../../domain/errors.ts";
import type { LedgerWrite } from "../../ports/ledger.ts";
import { deploymentEvent, type NewEvent } from "./events.ts";
import type { MakeId } from "./ids.ts";
import { wakeRuns } from "./outbox.ts";
import { jsonOrNull, together, type Trx } from "./transaction.ts";

/** Which deployment ends, and on which run. The caller holds the locks of its environment and its run. */
export interface Ending {
  readonly organization: string;
  readonly environment: string;
  readonly deployment: string;
  readonly run: string;
  /** What becomes of the main run. */
  readonly runState: "done" | "quarantined";
  readonly verdict: Pick<Extract<LedgerWrite, { write: "deployment.end" }>, "state" | "release" | "error" | "cleanupAt">;
}

/** Writes the verdict, frees the environment and readies what comes next. Answers with the events to write. */
export async function endDeployment(trx: Trx, ending: Ending, makeId: MakeId): Promise<readonly NewEvent[]> {
  const { organization, environment, deployment, verdict } = ending;
  const end = trx
    .updateTable("deployment")
    .set({
      state: verdict.state,
      release: verdict.release ?? null,
      error: jsonOrNull(verdict.error),
      ended_at: sql<string>`now()`,
    })
    .where("organization", "=", organization)
    .where("id", "=", deployment)
    .where("state", "in", ["running", "compensating"]);
  const main = trx.updateTable("run").set({ state: ending.runState, worker: null }).where("organization", "=", organization);
  const [ended, woken, cleanup] = await together([
    end.executeTakeFirst(),
    readyNext(trx, ending),
    verdict.cleanupAt === null ? Promise.resolve([]) : insertCleanup(trx, ending, makeId("run")),
    main.where("id", "=", ending.run).execute(),
    freeEnvironment(trx, ending),
  ]);
  if (ended.numUpdatedRows === 0n) throw new EngineError("BUG", `deployment ${deployment} cannot end: it does not run`);
  await wakeRuns(trx, organization, [...woken, ...cleanup]);
  return deploymentEvent({ deployment, environment }, `deployment.${verdict.state}`, eventData(verdict.release, verdict.error));
}

/** For `live` the release is what serves from now on; a failure leaves what served. */
async function freeEnvironment(trx: Trx, { organization, environment, verdict }: Ending): Promise<void> {
  const serves = verdict.state === "live" && verdict.release !== undefined ? { live_release: verdict.release } : {};
  await trx
    .updateTable("environment")
    .set({ active_deployment: null, ...serves })
    .where("organization", "=", organization)
    .where("id", "=", environment)
    .execute();
}

/** The queued deployment's turn has come: its run is the only one that waits. A repair that had to wait may go on. */
async function readyNext(trx: Trx, { organization, environment }: Ending): Promise<readonly string[]> {
  const waiting = trx
    .updateTable("run")
    .set({ state: "ready", due_at: sql<string>`now()` })
    .where("organization", "=", organization)
    .where("environment", "=", environment)
    .where("state", "=", "waiting")
    .returning("id");
  const repair = trx
    .selectFrom("run")
    .select("id")
    .where("organization", "=", organization)
    .where("environment", "=", environment)
    .where("kind", "=", "repair")
    .where("state", "=", "ready");
  const [next, repairs] = await together([waiting.execute(), repair.execute()]);
  return [...next, ...repairs].map((run) => run.id);
}

async function insertCleanup(trx: Trx, ending: Ending, id: string): Promise<readonly string[]> {
  const { organization, deployment, environment, verdict } = ending;
  const due = verdict.cleanupAt === null ? {} : { due_at: verdict.cleanupAt };
  await trx
    .insertInto("run")
    .values({ organization, id, deployment, environment, kind: "cleanup", state: "ready", ...due })
    .execute();
  return [id];
}

function eventData(release: string | null | undefined, error: ErrorDocument | undefined): Readonly<Record<string, unknown>> {
  return {
    ...(release === undefined ? {} : { release }),
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
  };
}

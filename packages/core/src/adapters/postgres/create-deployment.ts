import { sql } from "kysely";
import { EngineError } from "../../domain/errors.ts";
import type { DeploymentLedger, NewDeployment } from "../../ports/ledger.ts";
import type { DeploymentRecord } from "../../ports/records.ts";
import type { Scope } from "../../ports/scope.ts";
import type { LedgerContext } from "./context.ts";
import { ensureEnvironment } from "./environments.ts";
import { appendEvents, deploymentEvent, type NewEvent } from "./events.ts";
import type { MakeId } from "./ids.ts";
import { lockEnvironment } from "./lock.ts";
import { wakeRuns } from "./outbox.ts";
import { toDeployment } from "./rows.ts";
import { json, scoped, together, type Trx } from "./transaction.ts";

/** See `DeploymentLedger.createDeployment`. The environment's row is locked, so two at once come one after the other. */
export function createDeployment({ db, makeId }: LedgerContext): DeploymentLedger["createDeployment"] {
  return (scope, input) =>
    scoped(db, scope, async (trx) => {
      const id = makeId("dep");
      const [earlier, place] = await together([
        claimKey(trx, { scope, input, deployment: id }),
        ensureEnvironment(trx, { scope, makeId, project: input.project, environment: input.environment }),
      ]);
      if (earlier !== null) return { deployment: earlier, replayed: true };
      const [held, superseded, deployment] = await together([
        lockEnvironment(trx, { organization: scope.organization, environment: place.environment }),
        supersede(trx, { scope, environment: place.environment, by: id }),
        insert(trx, { scope, input, id, ...place }),
      ]);
      const queued = { kind: input.request.kind, principal: scope.principal, message: input.message };
      const told = deploymentEvent({ deployment: id, environment: place.environment }, "deployment.queued", queued);
      await together([
        insertMainRun(trx, { scope, deployment, makeId, isFree: held?.active_deployment === null }),
        appendEvents(trx, scope.organization, [...superseded, ...told]),
      ]);
      return { deployment, replayed: false };
    });
}

/** The deployment that used the idempotency key before; null when the key is new and now belongs to `deployment`. */
async function claimKey(
  trx: Trx,
  { scope, input, deployment }: { readonly scope: Scope; readonly input: NewDeployment; readonly deployment: string },
): Promise<DeploymentRecord | null> {
  if (input.idempotency === null) return null;
  const { organization, principal } = scope;
  const { key, requestHash } = input.idempotency;
  const claimed = await trx
    .insertInto("idempotency")
    .values({ organization, principal, key, request_hash: requestHash, deployment })
    .onConflict((conflict) => conflict.columns(["organization", "principal", "key"]).doNothing())
    .executeTakeFirst();
  if (claimed.numInsertedOrUpdatedRows === 1n) return null;
  const earlier = await trx
    .selectFrom("idempotency as i")
    .innerJoin("deployment as d", (join) => join.onRef("d.organization", "=", "i.organization").onRef("d.id", "=", "i.deployment"))
    .selectAll("d")
    .select("i.request_hash")
    .where("i.organization", "=", organization)
    .where("i.principal", "=", principal)
    .where("i.key", "=", key)
    .executeTakeFirstOrThrow();
  if (earlier.request_hash === requestHash) return toDeployment(earlier);
  throw new EngineError("IDEMPOTENCY_MISMATCH", `the Idempotency-Key was used for another request, which made deployment ${earlier.id}`);
}

/** Ends what still waits in the environment: only the newest is worth deploying. */
async function supersede(
  trx: Trx,
  { scope, environment, by }: { readonly scope: Scope; readonly environment: string; readonly by: string },
): Promise<readonly NewEvent[]> {
  const error = new EngineError("SUPERSEDED", `deployment ${by} took this one's place before it began`).toDocument();
  const old = await trx
    .updateTable("deployment")
    .set({ state: "superseded", superseded_by: by, error: json(error), ended_at: sql<string>`now()` })
    .where("organization", "=", scope.organization)
    .where("environment", "=", environment)
    .where("state", "=", "queued")
    .returning("id")
    .execute();
  if (old.length === 0) return [];
  const ids = old.map((row) => row.id);
  const runs = trx.updateTable("run").set({ state: "done" }).where("organization", "=", scope.organization);
  await runs.where("deployment", "in", ids).execute();
  return ids.flatMap((deployment) => deploymentEvent({ deployment, environment }, "deployment.superseded", { by }));
}

interface Insert {
  readonly scope: Scope;
  readonly input: NewDeployment;
  readonly id: string;
  readonly project: string;
  readonly environment: string;
}

async function insert(trx: Trx, { scope, input, id, project, environment }: Insert): Promise<DeploymentRecord> {
  const row = await trx
    .insertInto("deployment")
    .values({
      organization: scope.organization,
      id,
      environment,
      project,
      request: json(input.request),
      state: "queued",
      principal: scope.principal,
      // PostgreSQL cannot keep a zero byte in text.
      message: input.message?.replaceAll("\0", "") ?? null,
      deadline_at: sql<string>`now() + ${input.deadlineMs}::float8 * interval '1 millisecond'`,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return toDeployment(row);
}

async function insertMainRun(
  trx: Trx,
  { scope, deployment, makeId, isFree }: { scope: Scope; deployment: DeploymentRecord; makeId: MakeId; isFree: boolean },
): Promise<void> {
  const run = makeId("run");
  await trx
    .insertInto("run")
    .values({
      organization: scope.organization,
      id: run,
      deployment: deployment.id,
      environment: deployment.environment,
      kind: "main",
      state: isFree ? "ready" : "waiting",
    })
    .execute();
  if (isFree) await wakeRuns(trx, scope.organization, [run]);
}

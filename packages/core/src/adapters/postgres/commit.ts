import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { EngineError } from "../../domain/errors.ts";
import type { Grip, LedgerWrite, RunLedger } from "../../ports/ledger.ts";
import type { LedgerContext } from "./context.ts";
import { appendEvents } from "./events.ts";
import { isConnectionLost } from "./failures.ts";
import { lockEnvironment } from "./lock.ts";
import { scoped, together, type Trx } from "./transaction.ts";
import { applyWrites, type CommitContext } from "./writes.ts";

/** While PostgreSQL restarts, a commit waits this long for it. After that the worker has to decide. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 100;

/**
 * See `RunLedger.commit`. When the connection is lost before the answer came, nobody knows whether the transaction took effect. The
 * commit's own id, written with it, tells: so it is applied once, however often it is sent.
 */
export function commit(context: LedgerContext): RunLedger["commit"] {
  return async (grip, writes) => {
    const id = randomUUID();
    const since = performance.now();
    for (let isRepeated = false; ; isRepeated = true) {
      try {
        return await commitOnce(context, { id, isRepeated, grip, writes });
      } catch (thrown) {
        if (!isConnectionLost(thrown) || performance.now() - since > PATIENCE_MS) throw thrown;
        await sleep(PAUSE_MS);
      }
    }
  };
}

interface Commit {
  readonly id: string;
  readonly isRepeated: boolean;
  readonly grip: Grip;
  readonly writes: readonly LedgerWrite[];
}

function commitOnce({ db, makeId }: LedgerContext, { id, isRepeated, grip, writes }: Commit): Promise<void> {
  return scoped(db, grip.scope, async (trx) => {
    const { organization } = grip.scope;
    const locked = writes.some(touchesEnvironment)
      ? lockEnvironment(trx, { organization, environment: grip.environment })
      : Promise.resolve(undefined);
    if (isRepeated && (await together([locked, wasApplied(trx, grip, id)]))[1]) return;
    const changes = { last_commit: id, ...(writes.some(endsStep) ? { crashes: 0 } : {}) };
    const [, kind] = await together([locked, checkGrip(trx, grip, changes)]);
    const context: CommitContext = { trx, grip, kind, makeId };
    await appendEvents(trx, organization, await applyWrites(context, writes));
  });
}

/** The row stays locked until the commit, so that nobody can take the run away in between. */
async function checkGrip(trx: Trx, grip: Grip, changes: { readonly last_commit: string; readonly crashes?: number }) {
  const held = await trx
    .updateTable("run")
    .set(changes)
    .where("organization", "=", grip.scope.organization)
    .where("id", "=", grip.run)
    .where("state", "=", "held")
    .where("worker", "=", grip.worker)
    .where("fence", "=", grip.fence)
    .returning("kind")
    .executeTakeFirst();
  if (held !== undefined) return held.kind;
  throw new EngineError("STALE_FENCE", `worker ${grip.worker} does not hold run ${grip.run} (fence ${grip.fence}) any more`);
}

async function wasApplied(trx: Trx, grip: Grip, commitId: string): Promise<boolean> {
  const query = trx.selectFrom("run").select("last_commit").where("organization", "=", grip.scope.organization);
  const row = await query.where("id", "=", grip.run).executeTakeFirst();
  return row?.last_commit === commitId;
}

/** Once a step got to an end, the run is not what kills workers: its crashes are forgotten. */
function endsStep({ write }: LedgerWrite): boolean {
  return write === "step.end";
}

/** Environments are locked before runs; see {@link scoped}. */
function touchesEnvironment({ write }: LedgerWrite): boolean {
  return write === "deployment.end" || write === "release.create";
}

import { EngineError, toEngineError } from "../domain/errors.ts";
import type { Grip, RunRecord, WakeJob } from "../ports/index.ts";
import { isNotOurs } from "./attempt.ts";
import { runCleanup } from "./cleanup-run.ts";
import type { EngineDeps } from "./deps.ts";
import { runMain } from "./main-run.ts";
import { runRepair } from "./repair-run.ts";
import { type Run, closeRun, openRun } from "./run.ts";

/** Milliseconds between looks for a database that is away. */
const DATABASE_PAUSE_MS = 100;
/** Before a run that met a bug of ours, or a plugin that refused us, is tried again. */
const PAUSE_MS = 5_000;

const KINDS: Readonly<Record<RunRecord["kind"], (run: Run) => Promise<void>>> = {
  main: runMain,
  cleanup: runCleanup,
  repair: runRepair,
};

/**
 * Takes a run, if it is to be had, and works on it until it ends, sleeps, or is somebody else's. Never throws. When the signal fires, calls in
 * flight are cancelled and the run is put back for a successor.
 */
export async function runJob(deps: EngineDeps, job: WakeJob, { worker, signal }: { worker: string; signal: AbortSignal }): Promise<void> {
  const { logger } = deps;
  try {
    if (signal.aborted) return;
    const claimed = await deps.ledger.claim(job, worker);
    if (claimed) await work(deps, { ...claimed, signal });
  } catch (thrown) {
    const error = toEngineError(thrown);
    const fields = { run: job.run, code: error.code, error: error.message };
    if (isNotOurs(error)) logger.warn("a run was left", fields);
    else logger.error("a run was left", { ...fields, stack: error.stack });
  }
}

interface Claimed {
  readonly grip: Grip;
  readonly run: RunRecord;
  readonly signal: AbortSignal;
}

async function work(deps: EngineDeps, { grip, run: record, signal }: Claimed): Promise<void> {
  for (;;) {
    try {
      const run = await openRun(deps, { grip, record, shutdown: signal });
      try {
        return await KINDS[record.kind](run);
      } finally {
        await closeRun(run);
      }
    } catch (thrown) {
      if (signal.aborted) return putBack(deps, { grip, afterMs: 0 });
      const error = toEngineError(thrown);
      if (!isNotOurs(error) || error.code === "STALE_FENCE") {
        // Refused again if the run is somebody else's now; a plugin's word alone does not make it so.
        await putBack(deps, { grip, afterMs: PAUSE_MS });
        throw error;
      }
      // The ledger was away: what it knows is read again, and the run goes on from there.
      await databaseIsBack(deps, signal);
    }
  }
}

/** Ready again, for whoever comes. */
function putBack({ ledger, clock }: EngineDeps, { grip, afterMs }: { grip: Grip; afterMs: number }): Promise<void> {
  return ledger.commit(grip, [{ write: "run.sleep", dueAt: new Date(clock.now() + afterMs).toISOString() }]);
}

async function databaseIsBack({ ledger, clock }: EngineDeps, signal: AbortSignal): Promise<void> {
  for (;;) {
    await clock.sleep(DATABASE_PAUSE_MS, signal).catch(() => {});
    if (signal.aborted) throw new EngineError("DATABASE_DOWN", "the worker ended before the database came back");
    const isUp = await ledger.ping().then(
      () => true,
      () => false,
    );
    if (isUp) return;
  }
}

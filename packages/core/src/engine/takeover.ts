import type { HostProcess, Ledger, ProcessProbe, WakeJob, WorkerRecord } from "../ports/index.ts";
import type { EngineDeps } from "./deps.ts";

/** A heartbeat that has not moved for so long is that of a dead or frozen worker, milliseconds. */
export const LEASE_MS = 10_000;
/** Another machine's plugin hosts cannot be looked at: they get this much longer to end with their worker. */
const REMOTE_HOSTS_MS = 30_000;
/** Deaths in a row that a run may cause before it is quarantined. */
const CRASH_LIMIT = 25;
const LOOK_MS = 300;
/** While somebody else holds something: its death is to be seen soon. */
const CLOSE_LOOK_MS = 100;
/** Looks that are further apart than this prove nothing about the time between them. */
const LONGEST_GAP_MS = 2_000;

export interface TakeoverDeps extends Pick<EngineDeps, "clock" | "logger"> {
  readonly ledger: Pick<Ledger, "heldRuns" | "listWorkers" | "hosts" | "takeAway" | "endWorker">;
  readonly probe: ProcessProbe;
  /** Whether this process is at work on a run. */
  readonly isAtWork: (run: string) => boolean;
}

/** What was seen of another worker, on this process's own clock. */
interface Watched {
  readonly beat: number;
  /** Since when the beat has been the same. */
  readonly since: number;
  readonly lookedAt: number;
}

type HeldRun = WakeJob & { readonly worker: string };

export interface TakeoverOptions {
  /** Who looks. */
  readonly worker: string;
  readonly signal: AbortSignal;
  /** Told of the runs that were taken, after each look. They are woken through the queue all the same: whoever claims first has them. */
  readonly onLooked?: (taken: readonly WakeJob[]) => void;
}

/**
 * Takes runs away from workers that are proved dead, once their plugin hosts are gone, so that never two hosts work on one run. Resolves when
 * the signal fires; never rejects.
 */
export async function takeover(deps: TakeoverDeps, { worker, signal, onLooked = () => {} }: TakeoverOptions): Promise<void> {
  let watched: ReadonlyMap<string, Watched> = new Map();
  let isTidy = false;
  while (!signal.aborted) {
    const taken: WakeJob[] = [];
    try {
      watched = await lookOnce(deps, { worker, watched, onTaken: (job) => taken.push(job) });
    } catch (error) {
      // While the database does not answer nobody can beat: every lease begins again.
      watched = new Map();
      deps.logger.debug("other workers cannot be looked at just now", { error: String(error) });
    }
    onLooked(taken);
    isTidy ||= await signOffIdle(deps, worker);
    await deps.clock.sleep(watched.size > 0 ? CLOSE_LOOK_MS : LOOK_MS, signal).catch(() => {});
  }
}

/** Workers of this machine that died with nothing in hand: nobody will take anything from them, so that they are signed off here. Whether that was done. */
async function signOffIdle({ ledger, probe, logger }: TakeoverDeps, worker: string): Promise<boolean> {
  try {
    const workers = await ledger.listWorkers({ live: true });
    const gone = workers.filter((one) => one.id !== worker && isHere(probe, one) && !probe.isAlive(one));
    const busy = new Set((await ledger.heldRuns()).map((run) => run.worker));
    for (const { id } of gone) if (!busy.has(id)) await ledger.endWorker(id);
    return true;
  } catch (error) {
    logger.debug("dead workers cannot be signed off just now", { error: String(error) });
    return false;
  }
}

interface Look {
  readonly worker: string;
  readonly watched: ReadonlyMap<string, Watched>;
  readonly onTaken?: (job: WakeJob) => void;
}

/** One look at everybody who holds something. Answers with what is to be remembered for the next. */
export async function lookOnce(deps: TakeoverDeps, { worker, watched, onTaken = () => {} }: Look): Promise<ReadonlyMap<string, Watched>> {
  const all = await deps.ledger.heldRuns();
  await takeDropped(deps, { held: all.filter((run) => run.worker === worker && !deps.isAtWork(run.run)), id: worker, onTaken });
  const held = all.filter((run) => run.worker !== worker);
  if (held.length === 0) return new Map();
  const workers = await deps.ledger.listWorkers({ live: false });
  const now = deps.clock.monotonic();
  const next = new Map<string, Watched>();
  for (const id of new Set(held.map((run) => run.worker))) {
    const record = workers.find((known) => known.id === id);
    const seen = watch(record, { before: watched.get(id), now });
    next.set(id, seen);
    const reason = deathOf(deps, { record, seenMs: now - seen.since });
    if (reason === null) continue;
    try {
      if (!(await areHostsGone(deps, { id, record, seenMs: now - seen.since }))) continue;
      await takeAll(deps, { held: held.filter((run) => run.worker === id), id, reason, onTaken });
      if (record && isHere(deps.probe, record)) await endIfGone(deps, record);
    } catch (error) {
      // It froze with a lock in its hands, perhaps. That says nothing against what was seen of it and of others.
      deps.logger.warn("a dead worker's runs cannot be taken just now", { worker: id, error: String(error) });
    }
  }
  return next;
}

function watch(record: WorkerRecord | undefined, { before, now }: { before: Watched | undefined; now: number }): Watched {
  const beat = record?.beat ?? 0;
  const isSame = before !== undefined && before.beat === beat && now - before.lookedAt <= LONGEST_GAP_MS;
  return { beat, since: isSame ? before.since : now, lookedAt: now };
}

/** Why the worker is certainly not at work any more; null when it may be. */
function deathOf({ probe }: TakeoverDeps, { record, seenMs }: { record: WorkerRecord | undefined; seenMs: number }): string | null {
  if (!record) return "the worker is not known";
  if (record.endedAt !== null) return "the worker has ended";
  if (record.machine === probe.machine()) {
    if (record.boot !== probe.boot()) return "the machine was restarted";
    if (!probe.isAlive(record)) return `the worker's process ${record.pid} is gone`;
  }
  return seenMs >= LEASE_MS ? `the worker's heartbeat has not moved for ${Math.floor(seenMs / 1000)} s` : null;
}

interface Dead {
  readonly id: string;
  readonly record: WorkerRecord | undefined;
  readonly seenMs: number;
}

/** Hosts end when their pipe closes. Those of a frozen worker do not, and are ended here. */
async function areHostsGone({ ledger, probe, logger }: TakeoverDeps, { id, record, seenMs }: Dead): Promise<boolean> {
  if (!record || (record.machine === probe.machine() && record.boot !== probe.boot())) return true;
  const hosts = await ledger.hosts(id);
  if (hosts.length === 0) return true;
  if (!isHere(probe, record)) return seenMs >= LEASE_MS + REMOTE_HOSTS_MS;
  const alive = hosts.filter((host: HostProcess) => probe.isAlive(host));
  if (alive.length === 0) return true;
  if (seenMs < LEASE_MS) return false;
  for (const host of alive) {
    logger.warn("a plugin host of a dead worker is ended", { worker: id, plugin: host.plugin, pid: host.pid });
    probe.kill(host);
  }
  return alive.every((host) => !probe.isAlive(host));
}

async function takeAll(
  { ledger, logger }: TakeoverDeps,
  { held, id, reason, onTaken }: { held: readonly HeldRun[]; id: string; reason: string; onTaken: (job: WakeJob) => void },
): Promise<void> {
  for (const { organization, run } of held) {
    logger.warn("a run is taken from a dead worker", { run, worker: id, reason });
    await ledger.takeAway({ organization, run }, { from: id, limit: CRASH_LIMIT, reason });
    onTaken({ organization, run });
  }
}

/** What this very worker holds and does not work on: the answer to its claim was lost, or it could not put the run back. */
async function takeDropped(deps: TakeoverDeps, dropped: Omit<Parameters<typeof takeAll>[1], "reason">): Promise<void> {
  if (dropped.held.length > 0) await takeAll(deps, { ...dropped, reason: "the worker held it and was not at work on it" });
}

/** A worker that is gone for good is written down as ended; one that is only frozen finds out by itself. */
async function endIfGone({ ledger, probe }: TakeoverDeps, record: WorkerRecord): Promise<void> {
  if (!probe.isAlive(record)) await ledger.endWorker(record.id);
}

function isHere(probe: ProcessProbe, { machine, boot }: WorkerRecord): boolean {
  return machine === probe.machine() && boot === probe.boot();
}

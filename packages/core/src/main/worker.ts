import { processIdentity } from "@helixstack/supervisor";
import pLimit from "p-limit";
import { startHeartbeat } from "../adapters/heartbeat/heartbeat.ts";
import { newId } from "../domain/ids.ts";
import { type Engine, createEngine } from "../engine/index.ts";
import type { WakeJob } from "../ports/index.ts";
import type { Parts } from "./parts.ts";
import { processProbe } from "./process-probe.ts";

/** A worker that takes runs until it is stopped. */
export interface RunningWorker {
  readonly id: string;
  readonly engine: Engine;
  /** Resolves once it has looked after what dead workers left, and has it in hand. What can wait, waits for it. */
  readonly settled: Promise<void>;
  /** Cancels calls in flight, puts runs back for a successor, and leaves the books. */
  stop(): Promise<void>;
}

/** A run that was taken is claimed within this. */
const CLAIM_MS = 250;

/** Settled is the first look, and a moment more where it found something to do. */
function untilSettled(rescue: (job: WakeJob) => void) {
  let settle: () => void = () => {};
  const settled = new Promise<void>((resolve) => (settle = resolve));
  const onLooked = (taken: readonly WakeJob[]) => {
    for (const job of taken) rescue(job);
    if (taken.length === 0) settle();
    else setTimeout(settle, CLAIM_MS).unref();
  };
  return { settled, onLooked };
}

/** Registers, beats, relays wake-ups, watches other workers, and works. */
export async function startWorker(parts: Parts): Promise<RunningWorker> {
  const { ledger, queue, logger, settings, plugins } = parts;
  const engine = createEngine(parts.engineDeps);
  const probe = processProbe();
  const id = newId("wrk", Date.now());
  const { pid, startTicks } = processIdentity(process.pid) ?? { pid: process.pid, startTicks: "" };
  const planes = [...new Set(plugins.list().flatMap(({ manifest }) => Object.keys(manifest.planes)))].sort();
  await ledger.registerWorker({ id, machine: probe.machine(), boot: probe.boot(), pid, startTicks, planes });
  parts.hostRecorder = { recordHost: (host) => ledger.recordHost(id, host), removeHost: (host) => ledger.removeHost(id, host) };
  const heartbeat = startHeartbeat({ url: parts.databaseUrl, worker: id, onError: (error) => logger.warn({ err: error }, "heartbeat") });
  const stopping = new AbortController();
  const { signal } = stopping;
  const { concurrency } = settings;
  const hands = pLimit(concurrency);
  const runs = new Set<Promise<void>>();
  const work = (job: WakeJob) => engine.runJob(job, id, signal);
  /** Here and now; the queue would come to it a little later. */
  const begin = (run: Promise<void>) => {
    runs.add(run);
    void run.finally(() => runs.delete(run));
  };
  const wake = async (job: WakeJob) => {
    if (hands.activeCount < concurrency) begin(hands(work, job));
    // For the case that this worker dies before it has it.
    await queue.wake(job);
  };
  const { settled, onLooked } = untilSettled((job) => begin(work(job)));
  const loops = [engine.takeover(probe, { worker: id, signal, onLooked }), engine.relay({ wake }, signal)];
  void queue.consume((job) => hands(work, job), { concurrency });
  logger.info({ worker: id }, "the worker takes runs");
  return {
    id,
    engine,
    settled,
    async stop() {
      stopping.abort();
      await Promise.all([...loops, ...runs]);
      await queue.close();
      await parts.dispatcher.close();
      await heartbeat.stop();
      await ledger.endWorker(id).catch((error: unknown) => logger.warn({ err: error }, "the worker could not sign off"));
    },
  };
}

import { processIdentity } from "@helixstack/supervisor";
import { startHeartbeat } from "../adapters/heartbeat/heartbeat.ts";
import { newId } from "../domain/ids.ts";
import { type Engine, createEngine } from "../engine/index.ts";
import type { Parts } from "./parts.ts";
import { processProbe } from "./process-probe.ts";

/** A worker that takes runs until it is stopped. */
export interface RunningWorker {
  readonly id: string;
  readonly engine: Engine;
  /** Cancels calls in flight, puts runs back for a successor, and leaves the books. */
  stop(): Promise<void>;
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
  const loops = [engine.relay(queue, signal), engine.takeover(probe, id, signal)];
  void queue.consume((job) => engine.runJob(job, id, signal), { concurrency: settings.concurrency });
  logger.info({ worker: id }, "the worker takes runs");
  return {
    id,
    engine,
    async stop() {
      stopping.abort();
      await Promise.all(loops);
      await queue.close();
      await parts.dispatcher.close();
      await heartbeat.stop();
      await ledger.endWorker(id).catch((error: unknown) => logger.warn({ err: error }, "the worker could not sign off"));
    },
  };
}

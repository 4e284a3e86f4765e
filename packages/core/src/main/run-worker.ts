import { emptyCoreDumps } from "@helixstack/supervisor";
import { openParts } from "./parts.ts";
import { untilAskedToEnd } from "./signals.ts";
import { startWorker } from "./worker.ts";

/** A worker process alone: it takes runs beside those of the control process. */
export async function runWorker(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  emptyCoreDumps();
  const parts = await openParts(env, "worker");
  const worker = await startWorker(parts);
  await untilAskedToEnd();
  await worker.stop();
  await parts.close();
}

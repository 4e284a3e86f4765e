import { switchTable } from "../tables.ts";
import type { StepWork } from "./step.ts";

/** From here on requests for services that are handed over wait. */
export const holdStep: StepWork = async (run, step) => {
  const writes = await switchTable(run, step, { plugin: step.subject!, kind: "held" });
  return writes.length === 0 ? { state: "skipped", mayWait: true } : { writes };
};

import { switchTable } from "../tables.ts";
import type { StepWork } from "./step.ts";

/** Gives new services their addresses before anybody is there, so that those which need them can be told. */
export const reserveStep: StepWork = async (run, step) => {
  const writes = await switchTable(run, step, { plugin: step.subject!, kind: "reserved" });
  return writes.length === 0 ? { state: "skipped", mayWait: true } : { writes };
};

import { clearNext } from "../clearance.ts";
import { switchTable } from "../tables.ts";
import type { StepWork } from "./step.ts";

/** The switch: all services of the release at this provider, at once. A successor may switch to the same table again, so the verdict takes the end along. */
export const routeStep: StepWork = async (run, step) => ({
  writes: await switchTable(run, step, { plugin: step.subject!, kind: "next", clearance: await clearNext(run) }),
  mayWait: true,
});

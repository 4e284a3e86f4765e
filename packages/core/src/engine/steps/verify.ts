import { EngineError } from "../../domain/errors.ts";
import { awaitHealth } from "../health.ts";
import { nextRevision } from "../revisions.ts";
import { manifestOf, servicePlan } from "../run.ts";
import type { StepWork } from "./step.ts";

/** Waits until every instance of the new revision has answered as a healthy one does. */
export const verifyStep: StepWork = async (run, step) => {
  const { service } = servicePlan(run, step.service);
  const revision = await nextRevision(run, service);
  if (!revision) throw new EngineError("BUG", `service ${service} has no revision to verify`);
  const { health } = manifestOf(run).services[service]!;
  const { endpoints, tries, waitedMs } = await awaitHealth(run, { revision, health, signal: run.signal });
  return { outcome: { tries, waitedMs }, writes: [{ write: "revision.update", id: revision.id, endpoints }] };
};

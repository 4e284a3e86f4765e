import { digestOf } from "../../domain/digest.ts";
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
  const outcome = { tries, waitedMs };
  if (digestOf(endpoints) === digestOf(revision.endpoints)) return { outcome, mayWait: true };
  return { outcome, writes: [{ write: "revision.update", id: revision.id, endpoints }] };
};

import type { DrainResult, ObservedRevision } from "@helixstack/sdk";
import { EngineError } from "../../domain/errors.ts";
import { GRACE_MS } from "../../domain/spec.ts";
import type { RevisionRecord } from "../../ports/index.ts";
import type { StepRef } from "../journal.ts";
import { identityOf } from "../place.ts";
import { askRevision, seen } from "../revisions.ts";
import { type Run, act, manifestOf, servicePlan } from "../run.ts";
import type { StepWork } from "./step.ts";

/** Requests that were under way may finish for this long; all others wait meanwhile. */
const LONGEST_DRAIN_MS = 5_000;

/** Stops the old revision, so that the new one is alone with the volume. */
export const haltStep: StepWork = async (run, step) => {
  const { deps, grip, place } = run;
  const { live, service } = servicePlan(run, step.service);
  const old = live === null ? null : await deps.ledger.revision(grip.scope, live);
  if (!old) throw new EngineError("BUG", `service ${service} has no revision to hand over from`);
  await finishRequests(run, step, old);
  const suspend = { verb: "suspend", input: { how: "stop", graceMs: GRACE_MS } };
  const call = { ...askRevision(place, old, suspend), extraMs: GRACE_MS };
  try {
    const observed = await act<ObservedRevision>(run, step, call);
    return { outcome: { revision: old.id }, writes: [seen(deps, old, observed)] };
  } catch (thrown) {
    // What is not there any more writes to no volume.
    if (thrown instanceof EngineError && thrown.code === "NOT_FOUND") return { outcome: { revision: old.id } };
    throw thrown;
  }
};

async function finishRequests(run: Run, step: StepRef, old: RevisionRecord): Promise<void> {
  const { delivery, service } = servicePlan(run, step.service);
  if (!run.deps.plugins.supports(delivery, "delivery.drain")) return;
  const timeoutMs = Math.min(LONGEST_DRAIN_MS, manifestOf(run).services[service]!.drainMs);
  const identity = identityOf(run.place, { service });
  const input = { revisions: [old.id], timeoutMs };
  await act<DrainResult>(run, step, { plane: "delivery", plugin: delivery, verb: "drain", identity, input, extraMs: timeoutMs });
}

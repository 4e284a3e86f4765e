import { digestOf } from "../domain/digest.ts";
import { EngineError } from "../domain/errors.ts";
import { type Allowed, askPolicies } from "./decisions.ts";
import type { Run } from "./run.ts";

declare const cleared: unique symbol;

/**
 * Leave to let requests through to something. There are two ways to get one, both here: ask the policies in this very run, or show the decision that the serving
 * release was allowed with. Whatever points traffic at revisions, or makes a release live, wants one.
 */
export interface Clearance {
  /** The decision in the ledger. */
  readonly decision: string;
  /** Digest of the rules that decided. */
  readonly bundle: string;
  readonly [cleared]: true;
}

/**
 * For something new. What another worker asked before it died does not count: time has passed, and the policies may be others, so it is asked again by whoever goes
 * on. Rejects with `POLICY_DENIED` or `POLICY_UNAVAILABLE`.
 */
export async function clearNext(run: Run): Promise<Clearance> {
  return (run.clearance ??= await ask(run));
}

async function ask(run: Run): Promise<Clearance> {
  const allowed = await askPolicies(run, "release");
  await run.journal.commit([allowed.write]);
  return noteAllowed(run, allowed);
}

/** Notes that this run asked about the release and was allowed. */
export function noteAllowed(run: Run, { id, decision }: Allowed): Clearance {
  run.clearance = clearance({ decision: id, bundle: decision.bundle });
  return run.clearance;
}

/**
 * For what served already: after its processes were lost, or when a deployment is taken back. It carries the decision that the release was allowed with, whose
 * input and bundle have to be those of the record. Rejects with `POLICY_UNAVAILABLE` when there is none.
 */
export async function carryLive(run: Run): Promise<Clearance> {
  run.carried ??= await carry(run);
  return run.carried;
}

async function carry({ deps, grip, live, journal }: Run): Promise<Clearance> {
  if (!live) throw new EngineError("BUG", "there is no live release whose decision could be carried");
  const decisions = await deps.ledger.decisions(grip.scope, live.deployment);
  const own = decisions.filter(({ point, decision }) => point === "release" && decision.allow);
  const found = own.findLast(
    ({ input, inputDigest, decision }) => digestOf(input) === inputDigest && decision.bundle === live.policyBundle,
  );
  if (!found) {
    throw new EngineError("POLICY_UNAVAILABLE", `release ${live.id} has no decision that it was allowed with, so it is not started again`, {
      hint: "Deploy it again, so that it is decided on.",
      details: { fault: "decision-missing" },
    });
  }
  const carried = { decision: found.id, bundle: found.decision.bundle };
  await journal.commit([{ write: "event", type: "policy.carried", data: { ...carried, release: live.id } }]);
  return clearance(carried);
}

function clearance(of: { readonly decision: string; readonly bundle: string }): Clearance {
  return of as Clearance;
}

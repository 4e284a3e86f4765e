import { newId } from "../../src/domain/ids.ts";
import type { Grip, Ledger, LedgerWrite, NewDeployment } from "../../src/ports/ledger.ts";
import type { WakeJob } from "../../src/ports/queue.ts";
import type { Scope } from "../../src/ports/scope.ts";
import { newDeployment } from "./ledger.ts";

/** The wake-ups that are due, taken out of the outbox. */
export async function wakeUps(ledger: Ledger): Promise<readonly WakeJob[]> {
  const jobs: WakeJob[] = [];
  await ledger.relayOutbox(100, (job) => Promise.resolve(void jobs.push(job)));
  return jobs;
}

/** Takes the first run in the outbox that can be taken. */
export async function claimNext(ledger: Ledger, worker = "wrk_a") {
  for (const job of await wakeUps(ledger)) {
    const claimed = await ledger.claim(job, worker);
    if (claimed !== null) return claimed;
  }
  throw new Error("nothing to claim");
}

/** A deployment that runs, and the grip on it. */
export async function runningDeployment(
  { ledger, scope, worker }: { readonly ledger: Ledger; readonly scope: Scope; readonly worker?: string },
  changes: Partial<NewDeployment> = {},
): Promise<Grip> {
  await ledger.createDeployment(scope, newDeployment(changes));
  return (await claimNext(ledger, worker)).grip;
}

/** The write that intends a step of no consequence. */
export function intend(id: string): LedgerWrite {
  return {
    write: "step.intend",
    step: { id, kind: "build", service: "web", attempt: 1, operationId: `op_${id}`, plugin: "node@0.1.0" },
  };
}

/** A release, and the write that makes it. */
export function newRelease(): { readonly id: string; readonly create: LedgerWrite } {
  const id = newId("rel", Date.now());
  const { manifest } = newDeployment().request;
  const release = {
    id,
    services: {},
    manifest: manifest!,
    configHash: "c",
    snapshot: "s",
    plugins: {},
    policyBundle: "none",
    findings: [],
  };
  return { id, create: { write: "release.create", release } };
}

/** Brings a deployment live, with a release of no services. */
export async function goLive(ledger: Ledger, grip: Grip, cleanupAt: string | null = null): Promise<string> {
  const { id, create } = newRelease();
  await ledger.commit(grip, [create, { write: "deployment.end", state: "live", release: id, cleanupAt }]);
  return id;
}

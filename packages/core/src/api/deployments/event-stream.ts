import { DEPLOYMENT_STATES, STEP_STATES, TERMINAL_STATES, isTerminal } from "../../domain/states.ts";
import type { DeploymentRecord, EventRecord, Ledger, Scope } from "../../ports/index.ts";
import type { DeploymentResult } from "../documents.ts";
import { watchChanges } from "../streams/changes.ts";
import type { StreamEvent } from "../streams/format.ts";
import { deploymentResult } from "./result.ts";

const AT_ONCE = 200;
/** Where no notification comes, the ledger is read again after so long, milliseconds. */
const POLL_MS = 2000;

export interface EventsInput {
  readonly deployment: string;
  /** The number of the last event that the reader has. */
  readonly after: number;
  /** Go on after the verdict. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/**
 * The events of a deployment, from the ledger and then as they come. The verdict carries what the deployment came to, so that who waited for it need not
 * ask. Ends after the verdict unless told to follow.
 */
export async function* deploymentEvents(
  ledger: Ledger,
  scope: Scope,
  { deployment, after, follow, signal }: EventsInput,
): AsyncGenerator<StreamEvent> {
  const stream = `deployment:${deployment}`;
  const changes = await watchChanges(ledger, scope, { stream, signal });
  let last = after;
  while (!signal.aborted) {
    // The state is read first: whatever led to it is among the events that are read after it.
    const record = await ledger.deployment(scope, deployment);
    const events = await ledger.events(scope, { stream, after: last, limit: AT_ONCE });
    for (const event of events) {
      if (!isVerdict(event)) {
        yield streamEvent(event);
        continue;
      }
      yield streamEvent(event, { result: await resultOf(ledger, scope, { deployment, record }) });
      if (!follow) return;
    }
    last = events.at(-1)?.seq ?? last;
    if (events.length === AT_ONCE) continue;
    if (!follow && (record === null || isTerminal(record.state))) return;
    if (events.length === 0) await changes.next(POLL_MS);
  }
}

/** The record may have been read before the verdict fell. */
async function resultOf(
  ledger: Ledger,
  scope: Scope,
  { deployment, record }: { readonly deployment: string; readonly record: DeploymentRecord | null },
): Promise<DeploymentResult> {
  const ended = record && isTerminal(record.state) ? record : await ledger.deployment(scope, deployment);
  return deploymentResult({ ledger }, scope, ended!);
}

function isVerdict({ type }: EventRecord): boolean {
  return TERMINAL_STATES.some((state) => type === `deployment.${state}`);
}

const STATES: ReadonlyMap<string, string> = new Map([
  ...DEPLOYMENT_STATES.map((state) => [`deployment.${state}`, state] as const),
  ...STEP_STATES.map((state) => [`step.${state}`, state] as const),
]);

/** An event as a reader gets it. What says that a deployment or step came into a state says which one it is. */
export function streamEvent({ seq, type, data, at }: EventRecord, more: { readonly result?: DeploymentResult } = {}): StreamEvent {
  const state = STATES.get(type);
  return { id: String(seq), event: type, data: { ...data, ...(state && { state }), at, ...more } };
}

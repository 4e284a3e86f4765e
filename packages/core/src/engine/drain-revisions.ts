import type { DrainResult } from "@helixstack/sdk";
import type { RevisionRecord } from "../ports/index.ts";
import type { StepRef } from "./journal.ts";
import { identityOf } from "./place.ts";
import { type Run, act } from "./run.ts";

/** For a service that the live release does not know any more. */
const DEFAULT_DRAIN_MS = 10_000;

/**
 * Waits until nothing is in flight to these revisions, each as long as its service allows, at every provider that can. They must be out of
 * the tables.
 */
export async function drainRevisions(
  run: Run,
  step: StepRef,
  { revisions, signal }: { revisions: readonly RevisionRecord[]; signal: AbortSignal },
): Promise<readonly DrainResult[]> {
  const { deps, grip, live, place } = run;
  const tables = await deps.ledger.routeTables(grip.scope, { environment: place.environment.id });
  const providers = tables.filter(({ plugin }) => deps.plugins.supports(plugin, "delivery.drain"));
  const drains = providers.flatMap(({ plugin, unit }) =>
    revisions.map(({ id, service }) => {
      const timeoutMs = live?.manifest.services[service]?.drainMs ?? DEFAULT_DRAIN_MS;
      const identity = identityOf(place, { service, unit });
      const input = { revisions: [id], timeoutMs };
      return act<DrainResult>(run, step, { plane: "delivery", plugin, verb: "drain", identity, input, extraMs: timeoutMs, signal });
    }),
  );
  return Promise.all(drains);
}

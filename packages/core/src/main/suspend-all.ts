import { toEngineError } from "../domain/errors.ts";
import { newId } from "../domain/ids.ts";
import { identityOf, placeOf } from "../engine/place.ts";
import type { RevisionRecord, Scope } from "../ports/index.ts";
import type { Parts } from "./parts.ts";

const DEADLINE_MS = 60_000;

/**
 * Stops every application of this installation without forgetting it: `helix down`. What was live stays recorded as live, and the next start brings it
 * back. An application that cannot be stopped is logged and does not hold up the others.
 */
export async function suspendAll(parts: Parts, scope: Scope): Promise<void> {
  const { ledger, plugins, logger } = parts;
  const { id: installation } = await ledger.installation();
  const environments = new Map((await ledger.listEnvironments(scope)).map((environment) => [environment.id, environment]));
  const revisions = await ledger.listRevisions(scope, { states: ["starting", "serving", "draining", "warm"] });
  const stop = async (revision: RevisionRecord) => {
    const environment = environments.get(revision.environment);
    if (!environment || !plugins.supports(revision.plugin, "runtime.suspend")) return;
    await parts.dispatcher.call({
      plane: "runtime",
      plugin: revision.plugin,
      verb: "suspend",
      identity: identityOf(placeOf(scope, { installation, environment }), {
        service: revision.service,
        unit: revision.unit,
        revision: revision.id,
      }),
      operationId: newId("op", Date.now()),
      fence: await ledger.raiseFence(scope, environment.id),
      input: { prior: revision.pluginState, how: "stop", graceMs: revision.spec.graceMs },
      stateVersion: revision.stateVersion,
      deadlineMs: DEADLINE_MS + revision.spec.graceMs,
    });
  };
  await Promise.all(
    revisions.map((revision) =>
      stop(revision).catch((thrown: unknown) =>
        logger.warn({ revision: revision.id, code: toEngineError(thrown).code }, toEngineError(thrown).message),
      ),
    ),
  );
}

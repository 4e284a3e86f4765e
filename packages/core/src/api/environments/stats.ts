import type { RevisionStats } from "@helixstack/sdk";
import { newId } from "../../domain/ids.ts";
import type { EnvironmentRecord, Scope } from "../../ports/index.ts";
import type { ApiDeps } from "../deps.ts";
import { identityOf, placeOf } from "../identity.ts";

const DEADLINE_MS = 5000;

/** What the environment's delivery providers counted. Providers that do not count are left out. */
export async function readStats(
  { ledger, plugins, dispatcher, clock }: Pick<ApiDeps, "ledger" | "plugins" | "dispatcher" | "clock">,
  scope: Scope,
  environment: EnvironmentRecord,
): Promise<readonly RevisionStats[]> {
  const filter = { environment: environment.id };
  const [place, tables, revisions] = await Promise.all([
    placeOf(ledger, scope, environment),
    ledger.routeTables(scope, filter),
    ledger.listRevisions(scope, filter),
  ]);
  const counted = await Promise.all(
    tables
      .filter(({ plugin }) => plugins.supports(plugin, "delivery.stats"))
      .map(({ plugin, unit }) =>
        dispatcher.call<readonly RevisionStats[]>({
          plane: "delivery",
          plugin,
          verb: "stats",
          identity: identityOf(place, { unit }),
          operationId: newId("op", clock.now()),
          fence: 0,
          input: {},
          deadlineMs: DEADLINE_MS,
        }),
      ),
  );
  // A data plane counts for everybody that it serves; the rest is nobody's business here.
  const own = new Set(revisions.map(({ id }) => id));
  return counted.flat().filter(({ revision }) => own.has(revision));
}

import type { EventRecord, Scope } from "../ports/index.ts";
import type { ApiDeps } from "./deps.ts";
import type { IncidentItem } from "./documents.ts";

const TYPES = ["run.lost", "run.resumed", "run.quarantined"] as const;
const SHOWN = 100;

/** What befell the workers: of one deployment, or (stream `plane`) the latest of all. Oldest first. */
export async function incidentsOf({ ledger }: Pick<ApiDeps, "ledger">, scope: Scope, stream: string): Promise<readonly IncidentItem[]> {
  return incidents(await ledger.lastEvents(scope, { stream, types: TYPES, limit: SHOWN }));
}

/** Each death with what came of it: who took over and when, or that the run was quarantined. */
export function incidents(events: readonly EventRecord[]): readonly IncidentItem[] {
  return events.flatMap((lost, at) => {
    if (lost.type !== "run.lost") return [];
    const { run, deployment, kind, worker, step, reason } = lost.data as unknown as Lost;
    const after = events.slice(at + 1).filter(({ data }) => data["run"] === run);
    const next = after.find(({ type }) => type !== "run.quarantined");
    const resumed = next?.type === "run.resumed" ? next : null;
    return [
      {
        at: lost.at,
        deployment,
        run: kind,
        worker,
        step: step ?? null,
        reason,
        takenOverBy: (resumed?.data["worker"] as string | undefined) ?? null,
        takenOverAt: resumed?.at ?? null,
        isQuarantined: after[0]?.type === "run.quarantined",
      },
    ];
  });
}

interface Lost {
  readonly run: string;
  readonly deployment: string;
  readonly kind: IncidentItem["run"];
  readonly worker: string;
  readonly step?: string | null;
  readonly reason: string;
}

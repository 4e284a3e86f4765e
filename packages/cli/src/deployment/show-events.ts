import type { StreamEvent } from "../client/event-stream.ts";
import type { Progress } from "../output/progress.ts";
import type { StepView } from "../output/steps.ts";
import { stepName } from "./step-names.ts";

/** What an event of a deployment's stream carries, as far as it is shown. */
interface EventData {
  readonly step?: string;
  readonly kind?: string;
  readonly service?: string | null;
  readonly subject?: string | null;
  readonly state?: string;
  readonly note?: string;
  readonly text?: string;
  readonly error?: { readonly message?: string };
}

const ENDS: ReadonlySet<string> = new Set(["done", "failed", "skipped", "undone"]);

/** Shows one event. Kinds that are not known say nothing: a newer control plane may send more. */
export function showEvent({ event, data }: StreamEvent, progress: Progress): void {
  const { step: id, ...rest } = JSON.parse(data) as EventData;
  if (id === undefined) return;
  if (event === "step.intended" || event === "step.started") {
    const [kind = id] = id.split(":");
    const parts = { kind: rest.kind ?? kind, service: rest.service ?? null, subject: rest.subject ?? null };
    progress.step({ change: "begin", id, ...stepName(parts) });
  } else if (event === "step.progress") progress.step({ change: "note", id, note: rest.note ?? "" });
  else if (event === "step.log" || event === "log") progress.step({ change: "line", id, line: rest.text ?? "" });
  else if (rest.state !== undefined && ENDS.has(rest.state)) {
    progress.step({
      change: "end",
      id,
      state: rest.state as Exclude<StepView["state"], "running">,
      note: rest.error?.message?.split("\n")[0] ?? null,
    });
  }
}

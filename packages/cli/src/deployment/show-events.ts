import { type DeploymentState, isTerminal } from "@helixstack/core/client";
import type { StreamEvent } from "../client/event-stream.ts";
import type { Progress } from "../output/progress.ts";
import type { StepView } from "../output/steps.ts";
import { stepName } from "./step-names.ts";

/** What an event about a step carries, as far as it is shown. */
interface StepData {
  readonly step: string;
  readonly kind: string;
  readonly service: string | null;
  readonly attempt?: number;
  readonly error?: { readonly code: string; readonly message: string };
}

const ENDS: ReadonlySet<string> = new Set(["done", "failed", "skipped", "undone"]);

/** Shows one event of a deployment. Kinds that are not known say nothing: a newer control plane may send more. */
export function showEvent({ event, data }: StreamEvent, progress: Progress): void {
  const [about, what = ""] = event.split(".");
  if (about === "step") showStep(what, JSON.parse(data) as StepData, progress);
  else if (event === "deployment.compensating") progress.say("  going back to what was there before");
  else if (event === "run.lost") progress.say("  the worker died; another one goes on");
}

/** Whether the event is the deployment's verdict. */
export function isVerdict({ event }: StreamEvent): boolean {
  const [about, state] = event.split(".");
  return about === "deployment" && isTerminal(state as DeploymentState);
}

function showStep(what: string, { step: id, kind, service, attempt, error }: StepData, progress: Progress): void {
  if (what === "started") {
    progress.step({ change: "begin", id, ...stepName({ id, kind, service }) });
    if (attempt !== undefined && attempt > 1) progress.step({ change: "note", id, note: `try ${attempt}` });
  } else if (what === "retried") progress.step({ change: "note", id, note: error?.message.split("\n")[0] ?? "tried again" });
  else if (ENDS.has(what))
    progress.step({ change: "end", id, state: what as Exclude<StepView["state"], "running">, note: error?.message.split("\n")[0] ?? null });
}

import type { DeploymentItem } from "../client/wire.ts";
import type { Colors } from "./colors.ts";
import { errorText } from "./error-text.ts";
import { columns, table } from "./table.ts";
import { span } from "./time.ts";

/** A journalled step, as far as it is shown. */
interface ShownStep {
  readonly id: string;
  readonly state: string;
  readonly attempt?: number;
  readonly plugin?: string | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

/** One deployment: what it was, its steps, its error. */
export function inspectText(deployment: DeploymentItem & Record<string, unknown>, colors: Colors): string {
  const { id, kind, status, noChange, release, message, createdAt, endedAt, error } = deployment;
  const facts = [
    ["deployment", id],
    ["kind", kind],
    ["status", noChange ? `${status}, no change` : status],
    ["release", release ?? "none"],
    ["asked", createdAt],
    ["took", endedAt ? span(Date.parse(endedAt) - Date.parse(createdAt)) : "not ended"],
    ["message", message ?? ""],
  ].filter(([, value]) => value !== "");
  const steps = (deployment["steps"] ?? []) as readonly ShownStep[];
  const rows = steps.map((step) => [
    step.id,
    step.state,
    step.plugin ?? "",
    step.endedAt ? span(Date.parse(step.endedAt) - Date.parse(step.startedAt)) : "",
  ]);
  return [
    columns(facts.map(([name, value]) => [colors.dim(name!), value!])),
    table(["step", "state", "plugin", "took"], rows),
    error && errorText(error, colors),
  ]
    .filter(Boolean)
    .join("\n\n");
}

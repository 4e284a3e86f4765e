import type { DeploymentDetail } from "@helixstack/core/client";
import type { Colors } from "./colors.ts";
import { errorText } from "./error-text.ts";
import { columns, table } from "./table.ts";
import { span } from "./time.ts";

/** One deployment: what it was, its steps, its error. */
export function inspectText(deployment: DeploymentDetail, colors: Colors): string {
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
  const rows = deployment.steps.map((step) => [
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

import type { DeploymentDetail, Finding } from "@helixstack/core/client";
import type { Colors } from "./colors.ts";
import { errorText } from "./error-text.ts";
import { findingsText } from "./findings.ts";
import { incidentText, undoneSteps } from "./incident-text.ts";
import { columns, table } from "./table.ts";
import { span } from "./time.ts";

interface Inspected {
  readonly deployment: Omit<DeploymentDetail, "status"> & { readonly status: string };
  readonly findings: readonly Finding[];
}

/** One deployment: what it was, its steps, the deaths in it, what was undone, what policies said, its error. */
export function inspectText({ deployment, findings }: Inspected, colors: Colors): string {
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
    told("what happened", deployment.incidents.map(incidentText), colors),
    told("what was undone", undoneSteps(deployment), colors),
    // Those of a refusal stand in its error.
    error?.findings ? "" : findingsText(findings, colors),
    error && errorText(error, colors),
  ]
    .filter(Boolean)
    .join("\n\n");
}

function told(title: string, lines: readonly string[], colors: Colors): string {
  return lines.length === 0 ? "" : [colors.dim(title), ...lines.map((line) => `  ${line}`)].join("\n");
}

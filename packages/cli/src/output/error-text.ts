import type { ErrorDocument } from "@helixstack/core/client";
import type { Colors } from "./colors.ts";
import { findingsText } from "./findings.ts";

const LAST_LINES = 30;

/** An error for a person: what, where, why, the last log lines, what to do. Ends with a newline. */
export function errorText(error: ErrorDocument, colors: Colors): string {
  const lines = [`${colors.red(colors.bold(`error[${error.code}]`))}: ${error.message}`];
  const where = whereOf(error);
  if (where) lines.push(`  ${colors.dim("where")}  ${where}`);
  const logs = error.logs ?? [];
  if (logs.length > 0)
    lines.push(`  ${colors.dim("last lines")}`, ...logs.slice(-LAST_LINES).map((line) => `  ${colors.dim("|")} ${line}`));
  if (error.findings?.length) lines.push(findingsText(error.findings, colors));
  if (error.hint) lines.push(`  ${colors.cyan("help")}   ${error.hint}`);
  return `${lines.join("\n")}\n`;
}

function whereOf({ plane, plugin, step }: ErrorDocument): string {
  return [step && `step ${step}`, plane && `plane ${plane}`, plugin && `plugin ${plugin}`].filter(Boolean).join(", ");
}

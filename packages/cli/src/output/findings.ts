import type { Finding } from "@helixstack/core/client";
import type { Colors } from "./colors.ts";

/** Findings as lines: level and rule, message, place, fix. */
export function findingsText(findings: readonly unknown[], colors: Colors): string {
  return findings.map((finding) => one(finding as Partial<Finding>, colors)).join("\n");
}

function one({ rule, level, message, path, file, line, fix }: Partial<Finding>, colors: Colors): string {
  const paint = level === "advisory" ? colors.yellow : colors.red;
  const place = [file && (line ? `${file}:${line}` : file), path].filter(Boolean).join("  ");
  return [
    `  ${paint(level ?? "finding")} ${colors.bold(rule ?? "")}  ${message ?? ""}`,
    place && `    ${colors.dim("at")}   ${place}`,
    fix && `    ${colors.dim("fix")}  ${fix}`,
  ]
    .filter(Boolean)
    .join("\n");
}

import type { Finding } from "@helixstack/core/client";
import type { Colors } from "./colors.ts";

/** Findings as lines: level and rule, message, place, fix. */
export function findingsText(findings: readonly unknown[], colors: Colors): string {
  return findings.map((finding) => one(finding as Partial<Finding>, colors)).join("\n");
}

/**
 * What a deploy that went through says of its findings: those that would have refused it in full, advice in one line. It is the same advice at each
 * deploy; who wants to read it asks.
 */
export function findingsNote(findings: readonly Finding[], colors: Colors): string {
  const advice = findings.filter(({ level }) => level === "advisory");
  const rules = [...new Set(advice.map(({ rule }) => rule))];
  const line = `  ${advice.length} advisor${advice.length === 1 ? "y" : "ies"}: ${rules.join(", ")}; \`helix inspect\` shows more`;
  const full = findingsText(
    findings.filter(({ level }) => level !== "advisory"),
    colors,
  );
  return [full, advice.length > 0 ? colors.dim(line) : ""].filter(Boolean).join("\n");
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

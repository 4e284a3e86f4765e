import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { EngineError } from "../domain/errors.ts";

/** What an operator sets in `<home>/config.yaml`: plugin configurations by name, and bounds for the guardrails. */
export interface OperatorConfig {
  readonly plugins: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** As it stands in the file; the guardrails say what it may be. */
  readonly guardrails?: unknown;
}

/** Reads it; a file that is not there sets nothing. Throws `PLANE_FAILED` for one that is not what it should be. */
export function readOperatorConfig(home: string): OperatorConfig {
  const file = join(home, "config.yaml");
  if (!existsSync(file)) return { plugins: {} };
  const read = parseFile(file);
  const unknown = Object.keys(read).filter((key) => key !== "plugins" && key !== "guardrails");
  if (unknown.length > 0)
    throw invalid(file, `unknown key ${unknown.map((key) => `"${key}"`).join(", ")}; there are "plugins" and "guardrails"`);
  const plugins = read["plugins"] ?? {};
  if (!isRecord(plugins)) throw invalid(file, `"plugins" must map plugin names to their configuration`);
  for (const [name, config] of Object.entries(plugins)) if (!isRecord(config)) throw invalid(file, `plugins.${name} must be a mapping`);
  return { plugins: plugins as OperatorConfig["plugins"], guardrails: read["guardrails"] };
}

function parseFile(file: string): Record<string, unknown> {
  try {
    const read: unknown = parse(readFileSync(file, "utf8")) ?? {};
    if (isRecord(read)) return read;
  } catch (error) {
    throw invalid(file, error instanceof Error ? error.message : String(error));
  }
  throw invalid(file, "it must be a mapping");
}

function invalid(file: string, why: string): EngineError {
  return new EngineError("PLANE_FAILED", `${file} is not valid: ${why}`, { hint: "Correct the file, or remove it to use the defaults." });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Redactor, createRedactor } from "@helixstack/sdk/redact";
import type { Unit } from "./unit.ts";

/** The variables that a unit's secrets become. Throws when a file is not there: the process would only fail. */
export function secretEnvironment({ secrets }: Unit): Record<string, string> {
  if (secrets === undefined) return {};
  return Object.fromEntries(secrets.env.map((name) => [name, readFileSync(join(secrets.folder, name), "utf8")]));
}

/** What masks the output of a unit: its own secrets, and tokens of well-known shapes. */
export function unitRedactor({ secrets }: Unit): Redactor {
  const redactor = createRedactor();
  for (const value of secrets === undefined ? [] : valuesIn(secrets.folder)) redactor.add(value);
  return redactor;
}

function valuesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  } catch {
    // Gone with the machine's memory. The process that had them is gone too.
    return [];
  }
}

import type { Maturity } from "../../domain/manifest.ts";
import { MATURITIES } from "../../domain/manifest.ts";
import { unavailable } from "./faults.ts";

/** What an operator sets under `guardrails` in `<home>/config.yaml`: bounds, and the least maturity that an environment may claim. */
export interface GuardrailSettings {
  readonly minimum?: Maturity;
  /** Replaces the pack's parameters of the same name. */
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly environments?: Readonly<Record<string, Omit<GuardrailSettings, "environments">>>;
}

/** The maturity that counts: what the manifest says, but no less than the operator asks. */
export function maturityOf(claimed: Maturity, { settings, environment }: { settings: GuardrailSettings; environment: string }): Maturity {
  const floors = [claimed, settings.minimum, settings.environments?.[environment]?.minimum];
  return MATURITIES[Math.max(...floors.map((one) => MATURITIES.indexOf(one ?? "poc")))]!;
}

/** The pack's parameters with the operator's over them. Throws `POLICY_UNAVAILABLE` for what no rule would understand: a bound that is not read is none. */
export function parametersOf(
  shipped: Readonly<Record<string, unknown>>,
  { settings, environment }: { settings: GuardrailSettings; environment: string },
): Readonly<Record<string, unknown>> {
  const own = { ...settings.parameters, ...settings.environments?.[environment]?.parameters };
  for (const [name, value] of Object.entries(own)) {
    const check = CHECKS[name];
    if (!check || !Object.hasOwn(shipped, name))
      throw invalid(`guardrails.parameters.${name} is not a parameter; there are ${Object.keys(CHECKS).join(", ")}`);
    const wrong = check(value);
    if (wrong) throw invalid(`guardrails.parameters.${name} ${wrong}`);
  }
  return { ...shipped, ...own };
}

/** Throws for settings that are not well formed, wherever they stand. Null: none are set. */
export function readGuardrailSettings(value: unknown): GuardrailSettings {
  if (value === undefined || value === null) return {};
  checkSettings(value, { at: "guardrails", keys: ["minimum", "parameters", "environments"] });
  const { environments = {} } = value as GuardrailSettings;
  for (const [name, one] of Object.entries(environments))
    checkSettings(one, { at: `guardrails.environments.${name}`, keys: ["minimum", "parameters"] });
  return value as GuardrailSettings;
}

function checkSettings(value: unknown, { at, keys }: { at: string; keys: readonly string[] }): void {
  if (!isMap(value)) throw invalid(`${at} must be a mapping`);
  const unknown = Object.keys(value).filter((key) => !keys.includes(key));
  if (unknown.length > 0) throw invalid(`${at} has no ${unknown.join(", ")}; there are ${keys.join(", ")}`);
  const { minimum } = value;
  if (minimum !== undefined && !MATURITIES.includes(minimum as Maturity))
    throw invalid(`${at}.minimum must be one of ${MATURITIES.join(", ")}`);
  for (const key of ["parameters", "environments"])
    if (value[key] !== undefined && !isMap(value[key])) throw invalid(`${at}.${key} must be a mapping`);
}

/** Says what is wrong with a value; null: nothing. */
type Check = (value: unknown) => string | null;

const CHECKS: Readonly<Record<string, Check>> = {
  replicas: numbers("min", "max"),
  memory: numbers("maxBytes"),
  artifact: numbers("maxBytes"),
  cost: nullableNumbers("monthlyMax"),
  labels: texts,
  installScripts: texts,
  regions: (value) => (value === null ? null : texts(value)),
  providers: lists("build", "runtime", "delivery"),
  permissions: lists("net", "secrets", "exec", "fs"),
  freeze: (value) => (Array.isArray(value) ? (value.map(windowProblem).find((problem) => problem !== null) ?? null) : "must be a list"),
};

function numbers(...keys: readonly string[]): Check {
  return shape(keys, (value) => (typeof value === "number" && Number.isFinite(value) ? null : "must be a number"));
}

function nullableNumbers(...keys: readonly string[]): Check {
  return shape(keys, (value) => (value === null || typeof value === "number" ? null : "must be a number, or null for no limit"));
}

function lists(...keys: readonly string[]): Check {
  return shape(keys, (value) => (value === null ? null : texts(value)));
}

/** Exactly these keys: a bound that is left out would be no bound. */
function shape(keys: readonly string[], check: Check): Check {
  return (value) => {
    if (!isMap(value) || Object.keys(value).toSorted().join() !== keys.toSorted().join())
      return `must have ${keys.join(", ")}, and nothing else`;
    const problem = keys.map((key) => [key, check(value[key])] as const).find(([, wrong]) => wrong !== null);
    return problem ? `.${problem[0]} ${problem[1]}` : null;
  };
}

function texts(value: unknown): string | null {
  return Array.isArray(value) && value.every((one) => typeof one === "string") ? null : "must be a list of words";
}

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;
const HOUR = /^([01]\d|2[0-3]):[0-5]\d$|^24:00$/;

function windowProblem(value: unknown): string | null {
  if (!isMap(value) || typeof value["name"] !== "string") return "must be windows, each with a name";
  const { name, from, to, days, zone, environments, rollback } = value;
  const unknown = Object.keys(value).filter((key) => !["name", "from", "to", "days", "zone", "environments", "rollback"].includes(key));
  if (unknown.length > 0) return `"${name}" has no ${unknown.join(", ")}`;
  if (environments !== undefined && texts(environments)) return `"${name}": environments ${texts(environments)}`;
  if (rollback !== undefined && typeof rollback !== "boolean") return `"${name}": rollback must be true or false`;
  if (days === undefined)
    return [from, to].every((one) => isMoment(one)) && zone === undefined
      ? null
      : `"${name}": from and to must be times such as 2026-12-20T00:00:00+01:00`;
  if (texts(days) || !(days as string[]).every((day) => DAYS.includes(day))) return `"${name}": days must be of ${DAYS.join(", ")}`;
  if (![from, to].every((one) => typeof one === "string" && HOUR.test(one)) || String(from) >= String(to))
    return `"${name}": from and to must be hours such as 16:00, from before to`;
  return isZone(zone) ? null : `"${name}": zone must be a time zone such as Europe/Berlin`;
}

function isMoment(value: unknown): boolean {
  return typeof value === "string" && MOMENT.test(value) && !Number.isNaN(Date.parse(value));
}

function isZone(value: unknown): boolean {
  try {
    return typeof value === "string" && new Intl.DateTimeFormat("en", { timeZone: value }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(message: string): Error {
  return unavailable("parameters-invalid", message, { hint: "Correct `guardrails` in config.yaml of the home." });
}

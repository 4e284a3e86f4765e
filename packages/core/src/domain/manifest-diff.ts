import { canonicalJson } from "./digest.ts";
import type { Manifest, Service } from "./manifest.ts";
import type { ServiceChange } from "./plan.ts";

interface Word {
  readonly key: string;
  readonly show: (value: number) => string;
}

/** Where the resolved manifest's words and values differ from those that people write. */
const WRITTEN: Readonly<Record<string, Word>> = {
  timeoutMs: { key: "timeout", show: durationText },
  drainMs: { key: "drain", show: durationText },
  memoryBytes: { key: "memory", show: sizeText },
  forMs: { key: "for", show: durationText },
};

/** All that holds for a service, defaults included, with the paths and the units of `helix.yaml`. What is empty is left out. */
export function settingsOf(service: Service): Readonly<Record<string, unknown>> {
  const all = [...flatten(written(service))];
  return Object.fromEntries(all.filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0)));
}

/** What differs between two manifests of one service, with the paths of `helix.yaml`. */
export function serviceDiff(service: string, { from, to }: { from: Service; to: Service }): readonly ServiceChange[] {
  return diff(flatten(written(from)), flatten(written(to))).map((change) => ({ service, ...change }));
}

/** What differs in the settings of the whole project. Their changes name no service. */
export function projectDiff(from: Manifest, to: Manifest): readonly ServiceChange[] {
  const settings = ({ guardrails, rollback }: Manifest) => flatten({ guardrails, rollback });
  return diff(settings(from), settings(to)).map((change) => ({ service: "", ...change }));
}

/** Sections of plugins stand at the service's own level; secrets are told apart by name. */
function written({ options, secrets, ...rest }: Service): Record<string, unknown> {
  return { ...rest, secrets: Object.fromEntries(secrets.map(({ name, as }) => [name, as])), ...options };
}

function diff(from: ReadonlyMap<string, unknown>, to: ReadonlyMap<string, unknown>): Omit<ServiceChange, "service">[] {
  const paths = [...new Set([...from.keys(), ...to.keys()])].sort();
  return paths.flatMap((path) => {
    const [before, after] = [from.get(path) ?? null, to.get(path) ?? null];
    if (canonicalJson(before) === canonicalJson(after)) return [];
    return [{ action: before === null ? "create" : after === null ? "delete" : "update", path, from: before, to: after } as const];
  });
}

/** Dotted paths to everything that is not a record. */
function flatten(value: object, prefix = "", into = new Map<string, unknown>()): Map<string, unknown> {
  for (const [key, member] of Object.entries(value)) {
    const word = isNamedByPeople(prefix) ? undefined : WRITTEN[key];
    const path = `${prefix}${word?.key ?? key}`;
    if (word && typeof member === "number") into.set(path, word.show(member));
    else if (member !== null && typeof member === "object" && !Array.isArray(member)) flatten(member, `${path}.`, into);
    else into.set(path, member);
  }
  return into;
}

function isNamedByPeople(prefix: string): boolean {
  return prefix === "env." || prefix === "labels.";
}

function durationText(ms: number): string {
  const units = [["h", 3_600_000, 1] as const, ["m", 60_000, 2] as const, ["s", 1000, 1] as const];
  const fit = units.find(([, size, least]) => ms >= size * least && ms % size === 0);
  return fit ? `${ms / fit[1]}${fit[0]}` : `${ms}ms`;
}

function sizeText(bytes: number): string {
  const fit = [["Gi", 2 ** 30] as const, ["Mi", 2 ** 20] as const].find(([, size]) => bytes >= size && bytes % size === 0);
  return fit ? `${bytes / fit[1]}${fit[0]}` : String(bytes);
}

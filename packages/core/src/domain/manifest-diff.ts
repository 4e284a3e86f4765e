import { canonicalJson } from "./digest.ts";
import type { Manifest, Service } from "./manifest.ts";
import type { ServiceChange } from "./plan.ts";

/** Where the resolved manifest's words differ from those that people write. */
const WRITTEN: Readonly<Record<string, string>> = {
  timeoutMs: "timeout",
  drainMs: "drain",
  memoryBytes: "memory",
  forMs: "for",
};

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
    const path = `${prefix}${prefix === "env." ? key : (WRITTEN[key] ?? key)}`;
    if (member !== null && typeof member === "object" && !Array.isArray(member)) flatten(member, `${path}.`, into);
    else into.set(path, member);
  }
  return into;
}

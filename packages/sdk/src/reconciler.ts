import { createHash } from "node:crypto";
import type { TSchema } from "typebox";

/** One thing that `apply` would do. */
export interface Change {
  readonly action: "create" | "update" | "replace" | "delete";
  /** What changes, as a dotted path in the spec; `""` for the whole. */
  readonly path: string;
  readonly from: unknown;
  readonly to: unknown;
}

/**
 * How effects are kept from a stale owner. `fence`: the provider's world remembers the highest fence and refuses lower ones;
 * `names`: every effect is on a thing named by the revision's ids, so a late one finds its own thing or none; `none`: they are not, and the
 * deployment record says so.
 */
export type Fencing = "fence" | "names" | "none";

/** State that a plugin gives the engine to keep. */
export interface Stateful<State> {
  /** Schema of the state. Checked at each return. */
  readonly state: TSchema;
  /** Raised when the state's shape changes. */
  readonly stateVersion: number;
  /** Turns a state of an older version into one of the current. */
  readonly upgradeState?: (input: { readonly from: number; readonly stored: unknown }) => State;
}

/** Whose things to enumerate: everything of one installation. */
export interface ListInput {
  readonly installation: string;
}

/** The digest of a spec, stable under key order: what plugins tag things with, so that `observe` can say what was applied. */
export function specDigest(spec: unknown): string {
  return createHash("sha256").update(canonical(spec)).digest("hex").slice(0, 32);
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).filter(([, v]) => v !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`).join(",")}}`;
}

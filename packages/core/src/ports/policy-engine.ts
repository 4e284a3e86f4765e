import type { ErrorDocument } from "../domain/errors.ts";
import type { Maturity } from "../domain/manifest.ts";

/** Where a deployment is decided on. */
export type DecisionPoint = "plan" | "artifact" | "release";

/** What a policy says. */
export interface Finding {
  readonly rule: string;
  readonly level: "advisory" | "mandatory" | "soft-mandatory";
  readonly message: string;
  /** Where in the input, as a dotted path (`services.web.health.path`). */
  readonly path: string;
  /** Where that stands in the manifest. */
  readonly file: string;
  readonly line: number | null;
  readonly fix: string;
  /** The pack that the rule is of, `name@version`. */
  readonly pack?: string;
  /** What the rule asks for, and what is there. */
  readonly needed?: string;
  readonly found?: string;
  /** Why a soft-mandatory rule does not refuse this once. */
  readonly waiver?: { readonly id: string; readonly by: string; readonly reason: string; readonly expiresAt: string };
}

export interface Decision {
  readonly allow: boolean;
  readonly findings: readonly Finding[];
  /** Digest of the rules that decided. */
  readonly bundle: string;
  /** Why nothing could be decided; `allow` is false then. */
  readonly error?: ErrorDocument;
}

/** Decides. Fails closed: what cannot be decided rejects with `POLICY_UNAVAILABLE`. The input is stored whole by the caller. */
export interface PolicyEngine {
  decide(point: DecisionPoint, input: Readonly<Record<string, unknown>>): Promise<Decision>;
}

/** What can be known of the policies without asking them to decide. */
export interface PolicyCatalog {
  /** The packs in force, and the bundles that are not. */
  packs(): Promise<{ readonly packs: readonly PackInfo[]; readonly problems: readonly BundleProblem[] }>;
  /** A bundle to be tried on inputs of the past. It needs no signature, since nothing comes of what it decides. */
  openTrial(bundle: Uint8Array): Promise<{ readonly name: string; decide(input: Readonly<Record<string, unknown>>): Promise<Decision> }>;
}

/** A pack that decides. */
export interface PackInfo {
  readonly name: string;
  readonly version: string;
  readonly serial: number;
  readonly kind: "helix" | "conftest";
  readonly digest: string;
  readonly signedBy: string;
  readonly expiresAt: string | null;
  /** The maturity that it decides for; null: for each. */
  readonly maturity: Maturity | null;
  /** Rules that are listed in its data. */
  readonly rules: readonly { readonly rule: string; readonly title: string; readonly points: readonly string[]; readonly level: string }[];
}

export interface BundleProblem {
  readonly file: string;
  readonly error: ErrorDocument;
  /** Whether the last good edition decides in its place. */
  readonly isKept: boolean;
}

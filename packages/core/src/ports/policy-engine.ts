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
}

export interface Decision {
  readonly allow: boolean;
  readonly findings: readonly Finding[];
  /** Digest of the rules that decided. */
  readonly bundle: string;
}

/** Decides. Fails closed: what cannot be decided rejects with `POLICY_UNAVAILABLE`. The input is stored whole by the caller. */
export interface PolicyEngine {
  decide(point: DecisionPoint, input: Readonly<Record<string, unknown>>): Promise<Decision>;
}

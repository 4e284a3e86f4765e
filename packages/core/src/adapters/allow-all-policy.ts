import type { PolicyEngine } from "../ports/policy-engine.ts";

/** The policy engine of an installation that has no rules: everything is allowed, and the record says by which bundle: none. */
export const allowAllPolicy: PolicyEngine = {
  decide: () => Promise.resolve({ allow: true, findings: [], bundle: "none" }),
};

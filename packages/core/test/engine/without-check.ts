/** The engine with the check on one road to live taken out. */
export interface WithoutCheck {
  readonly road: string;
  /** Below `packages/core/src`. */
  readonly file: string;
  /** What stands there, once. */
  readonly from: string;
  readonly to: string;
  /**
   * Where alone it shows that the check is gone: in the `list` of places, because another check stands before it, or in what `happens`, because the place is still
   * one that asks. Absent: in both.
   */
  readonly shows?: "list" | "happens";
}

/** One for each road. `from` has to be there, so that a check that moved is noticed. */
export const WITHOUT_CHECK: readonly WithoutCheck[] = [
  {
    road: "the switch of requests to a new release",
    file: "engine/steps/route.ts",
    from: "clearance: await clearNext(run)",
    to: "clearance: null as never",
  },
  {
    road: "going on where a worker was killed",
    file: "engine/clearance.ts",
    from: 'await askPolicies(run, "release")',
    to: '({ id: "dec_none", decision: { allow: true, findings: [], bundle: "none" }, write: { write: "event", type: "none", data: {} } } as never)',
  },
  { road: "the plan of a deploy, a rollback and more replicas", file: "domain/plan-steps.ts", from: ', step("policy-plan")', to: "" },
  { road: "what was built", file: "domain/plan-steps.ts", from: '    step("policy-artifact"),\n', to: "" },
  {
    road: "a refusal that is not heeded",
    file: "engine/decisions.ts",
    from: "if (decision.allow) return",
    to: "if (decision) return",
  },
  {
    road: "drift repair: the start of what was lost",
    file: "engine/repair-run.ts",
    from: "  await carryLive(run);\n  const call",
    to: "  const call",
  },
  {
    road: "drift repair: the switch to what was started again",
    file: "engine/repair-run.ts",
    from: "clearance: await carryLive(run)",
    to: "clearance: null as never",
  },
  { road: "going back by itself: the start of the old revision", file: "engine/undo.ts", from: "  await carryLive(run);\n", to: "" },
  {
    road: "going back by itself: the switch to the old release",
    file: "engine/tables.ts",
    from: "clearance: await carryLive(run)",
    to: "clearance: null as never",
  },
  {
    road: "the verdict",
    file: "engine/steps/release.ts",
    from: "  await clearNext(run);\n  const { environment }",
    to: "  const { environment }",
    shows: "list",
  },
  {
    road: "a restore: what was under way at the backup",
    file: "adapters/postgres/dump.ts",
    from: "`update helix.deployment set state = 'failed'",
    to: "`update helix.deployment set state = state",
  },
  { road: "a carried decision of another point", file: "engine/clearance.ts", from: 'point === "release" && ', to: "", shows: "happens" },
  { road: "a carried refusal", file: "engine/clearance.ts", from: " && decision.allow", to: "", shows: "happens" },
  {
    road: "a carried decision on another input",
    file: "engine/clearance.ts",
    from: "digestOf(input) === inputDigest && ",
    to: "",
    shows: "happens",
  },
  {
    road: "a carried decision by another bundle",
    file: "engine/clearance.ts",
    from: " && decision.bundle === live.policyBundle",
    to: "",
    shows: "happens",
  },
];

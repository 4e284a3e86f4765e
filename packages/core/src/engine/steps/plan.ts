import { makePlan } from "../make-plan.ts";
import type { StepWork } from "./step.ts";

/** Computes the plan and keeps it: every later step, and every successor, follows this one. */
export const planStep: StepWork = async (run) => {
  const plan = await makePlan(run);
  const isDestroy = run.deployment.request.kind === "destroy";
  const noChange = !isDestroy && run.live !== null && plan.changes.length === 0;
  run.plan = plan;
  return { writes: [{ write: "deployment.plan", plan, noChange }], mayWait: true };
};

import type { StepKind } from "../../domain/plan.ts";
import { applyStep } from "./apply.ts";
import { buildStep } from "./build.ts";
import { eraseStep } from "./erase.ts";
import { haltStep } from "./halt.ts";
import { holdStep } from "./hold.ts";
import { planStep } from "./plan.ts";
import { policyStep } from "./policy.ts";
import { releaseStep } from "./release.ts";
import { reserveStep } from "./reserve.ts";
import { retireStep } from "./retire.ts";
import { routeStep } from "./route.ts";
import type { StepWork } from "./step.ts";
import { taskStep } from "./task.ts";
import { unrouteStep } from "./unroute.ts";
import { verifyStep } from "./verify.ts";
import { volumeStep } from "./volume.ts";

/** What a main run does at each kind of step. Drain and freeze belong to the cleanup. */
export const STEPS: Readonly<Record<Exclude<StepKind, "drain" | "freeze">, StepWork>> = {
  plan: planStep,
  "policy-plan": policyStep("plan"),
  build: buildStep,
  "policy-artifact": policyStep("artifact"),
  reserve: reserveStep,
  volume: volumeStep,
  hold: holdStep,
  halt: haltStep,
  task: taskStep,
  apply: applyStep,
  verify: verifyStep,
  "policy-release": policyStep("release"),
  route: routeStep,
  unroute: unrouteStep,
  release: releaseStep,
  retire: retireStep,
  erase: eraseStep,
};

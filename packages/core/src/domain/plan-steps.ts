import type { PlannedStep, ServiceChange, ServicePlan, StepKind } from "./plan.ts";
import type { PlanInput } from "./planner.ts";

/** What is journalled before there is a plan. */
export const FIRST_STEPS: readonly PlannedStep[] = [step("plan"), step("policy-plan")];

/** The steps of a deploy or rollback, in their order. Without a change the plan is asked about and nothing else happens. */
export function planSteps(planned: {
  readonly services: readonly ServicePlan[];
  readonly changes: readonly ServiceChange[];
  readonly input: PlanInput;
}): readonly PlannedStep[] {
  const { services, changes, input } = planned;
  if (changes.length === 0) return [...FIRST_STEPS, step("release")];
  const fresh = services.filter(({ action }) => action !== "keep");
  const handedOver = fresh.filter(({ handOver }) => handOver);
  return [
    ...FIRST_STEPS,
    ...fresh.filter(({ artifact }) => artifact === null).map(({ service }) => step("build", service)),
    step("policy-artifact"),
    ...reservations(fresh, input).map((plugin) => step("reserve", null, plugin)),
    ...fresh.flatMap(({ service, volumes }) => volumes.map(({ name }) => step("volume", service, name))),
    ...unique(handedOver.map(({ delivery }) => delivery)).map((plugin) => step("hold", null, plugin)),
    ...handedOver.map(({ service }) => step("halt", service)),
    ...(input.runsTasks ? fresh.flatMap(({ service }) => taskSteps(service, input)) : []),
    ...fresh.map(({ service }) => step("apply", service)),
    ...fresh.map(({ service }) => step("verify", service)),
    step("policy-release"),
    ...routers(services, input).map((plugin) => step("route", null, plugin)),
    step("release"),
  ];
}

/** What a destroy is to remove. */
export interface DestroyInput {
  readonly deliveries: readonly string[];
  readonly revisions: readonly { readonly id: string; readonly service: string }[];
  /** Only those that shall go. */
  readonly volumes: readonly { readonly id: string; readonly service: string }[];
}

/** The steps of a destroy: out of the table first, then gone. */
export function destroySteps({ deliveries, revisions, volumes }: DestroyInput): readonly PlannedStep[] {
  return [
    step("plan"),
    ...deliveries.map((plugin) => step("unroute", null, plugin)),
    ...revisions.map(({ id, service }) => step("retire", service, id)),
    ...deliveries.map((plugin) => step("erase", null, plugin)),
    ...volumes.map(({ id, service }) => step("erase", service, id)),
    // Of nothing in particular: what the stores kept for this environment alone.
    step("erase"),
    step("release"),
  ];
}

/** A step with the id that it has in every deployment: `kind`, `kind:service`, `kind:service:subject` or `kind:subject`. */
export function step(kind: StepKind, service: string | null = null, subject: string | null = null): PlannedStep {
  const id = [kind, service, subject].filter((part) => part !== null).join(":");
  return { id, kind, service, task: kind === "task" ? subject : null, subject };
}

/** Delivery plugins of services whose address must be known before those that need them start. */
function reservations(fresh: readonly ServicePlan[], { manifest, wanted }: PlanInput): readonly string[] {
  const needed = fresh.flatMap(({ service }) => manifest.services[service]!.needs).filter((name) => wanted[name]!.isRouted);
  return unique(needed.map((name) => manifest.services[name]!.delivery));
}

function taskSteps(service: string, { manifest }: PlanInput): readonly PlannedStep[] {
  return Object.keys(manifest.services[service]!.tasks).map((task) => step("task", service, task));
}

/** Every delivery plugin whose table changes or might: also one that a service is leaving. */
function routers(services: readonly ServicePlan[], { live, wanted }: PlanInput): readonly string[] {
  const now = services.filter(({ service }) => wanted[service]!.isRouted).map(({ delivery }) => delivery);
  const before = Object.values(live?.services ?? {}).map(({ delivery }) => delivery);
  return unique([...now, ...before]);
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)].toSorted();
}

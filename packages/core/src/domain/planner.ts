import type { Artifact, SecretRef } from "@helixstack/sdk";
import { shortDigest } from "./digest.ts";
import { projectDiff, serviceDiff, settingsOf } from "./manifest-diff.ts";
import type { Manifest, Service } from "./manifest.ts";
import { planSteps } from "./plan-steps.ts";
import type { BuildOrigin, DeploymentPlan, ServiceChange, ServicePlan } from "./plan.ts";

/** All that a plan is made of. Whoever gathers it does the reading; planning itself is arithmetic. */
export interface PlanInput {
  readonly manifest: Manifest;
  /** What each service of the manifest shall be. */
  readonly wanted: Readonly<Record<string, WantedService>>;
  /** What serves now; null in an empty environment. */
  readonly live: LiveState | null;
  /** False for a rollback: what a task did to data is not done again. */
  readonly runsTasks: boolean;
}

export interface WantedService {
  readonly build: BuildOrigin;
  readonly runtimeVersion: string;
  /** Whether its delivery brings requests to it: a worker may have no address at all. */
  readonly isRouted: boolean;
  readonly secrets: readonly SecretRef[];
  readonly specDigest: string;
  /** Known already for a rollback; null where it is to be built. */
  readonly artifact: Artifact | null;
  /** A former revision to take back into service. */
  readonly reuse: string | null;
  /** Secrets that will stand in the configuration of an image's container, where its engine shows them to whoever may ask it. */
  readonly shownSecrets?: readonly string[];
}

export interface LiveState {
  readonly manifest: Manifest;
  readonly services: Readonly<Record<string, LiveService>>;
}

/** One service of the live release, and how it was found. */
export interface LiveService {
  readonly build: BuildOrigin;
  readonly artifact: Artifact;
  readonly runtime: string;
  readonly runtimeVersion: string;
  readonly delivery: string;
  readonly secrets: readonly SecretRef[];
  readonly specDigest: string;
  /** The serving revision; null when the ledger has none. */
  readonly revision: string | null;
  /** What was seen in place of a running revision (`exited`, `gone`, `changed`); null when all is well. */
  readonly drift: string | null;
  /** Whether the served route table is as it should be for this revision. */
  readonly isReached: boolean;
}

/** The plan of a deploy or a rollback. Pure: equal input, equal plan. */
export function planDeployment(input: PlanInput): DeploymentPlan {
  const names = inNeedOrder(input.manifest);
  const planned = names.map((name) => planService(name, input));
  const removed = Object.keys(input.live?.services ?? {}).filter((name) => !(name in input.manifest.services));
  const changes = [
    ...(input.live ? projectDiff(input.live.manifest, input.manifest) : []),
    ...planned.flatMap((service) => service.changes),
    ...removed.map((name): ServiceChange => ({
      service: name,
      action: "delete",
      path: "",
      from: summary(input.live!.services[name]!),
      to: null,
    })),
  ];
  const services = planned.map(({ plan }) => plan);
  return { services, removed, changes, steps: planSteps({ services, changes, input }) };
}

function planService(name: string, { manifest, wanted, live }: PlanInput): { plan: ServicePlan; changes: readonly ServiceChange[] } {
  const service = manifest.services[name]!;
  const want = wanted[name]!;
  const before = live?.services[name];
  const keeps = before !== undefined && before.revision !== null && before.drift === null && before.specDigest === want.specDigest;
  const action = keeps ? "keep" : before === undefined ? "create" : "replace";
  const changes = before
    ? changesOf(name, { before, want, from: live!.manifest.services[name]!, to: service })
    : [
        {
          service: name,
          action: "create",
          path: "",
          from: null,
          to: { ...settingsOf(service), source: shortDigest(want.build.source) },
        } as const,
      ];
  const shown = changes.length === 0 ? [] : (want.shownSecrets ?? []).map((secret) => shownSecret(name, secret));
  const plan: ServicePlan = {
    service: name,
    action,
    handOver: action === "replace" && before!.revision !== null && sharesVolume(live!.manifest.services[name]!, service),
    build: want.build,
    runtime: service.runtime,
    runtimeVersion: want.runtimeVersion,
    delivery: service.delivery,
    volumes: Object.entries(service.volumes).map(([volume, use]) => ({ name: volume, path: use.path, writers: use.writers })),
    secrets: want.secrets,
    specDigest: want.specDigest,
    artifact: keeps ? before.artifact : want.artifact,
    live: before?.revision ?? null,
    reuse: keeps ? null : want.reuse,
  };
  return { plan, changes: [...changes, ...shown] };
}

interface Difference {
  readonly before: LiveService;
  readonly want: WantedService;
  readonly from: Service;
  readonly to: Service;
}

/** Everything that is different, in words; never empty where the revision must be replaced. */
function changesOf(service: string, difference: Difference): readonly ServiceChange[] {
  const { before, want, from, to } = difference;
  const changes = [...serviceDiff(service, { from, to })];
  const update = (path: string, [old, now]: readonly [unknown, unknown]) => {
    if (old !== now) changes.push({ service, action: "update", path, from: old, to: now });
  };
  if (from.source === to.source) update("source", [shortDigest(before.build.source), shortDigest(want.build.source)]);
  if (from.build === to.build) update("build.toolchain", [before.build.toolchain, want.build.toolchain]);
  if (from.runtime === to.runtime) update("runtime.version", [before.runtimeVersion, want.runtimeVersion]);
  for (const { name, version } of want.secrets) {
    const old = before.secrets.find((secret) => secret.name === name);
    if (old) update(`secrets.${name}`, [`version ${old.version}`, `version ${version}`]);
  }
  update("state", [before.revision === null ? "gone" : (before.drift ?? "running"), "running"]);
  if (before.drift === null && !before.isReached) update("route", ["elsewhere", "here"]);
  if (changes.length === 0) update("spec", [shortDigest(before.specDigest), shortDigest(want.specDigest)]);
  return changes;
}

/** Nothing that is different, but what whoever reads a plan has to know. */
function shownSecret(service: string, name: string): ServiceChange {
  return {
    service,
    action: "create",
    path: `secrets.${name}`,
    from: null,
    to: "in the container's environment, which `docker inspect` shows",
  };
}

/** Whether old and new would write to one volume that takes a single writer. */
function sharesVolume(from: Service, to: Service): boolean {
  return Object.entries(to.volumes).some(([name, use]) => {
    const old = from.volumes[name];
    return old !== undefined && (old.writers === "single" || use.writers === "single");
  });
}

function summary({ build, runtime }: { build: BuildOrigin; runtime: string }): Readonly<Record<string, string>> {
  return { build: build.plugin, runtime, source: shortDigest(build.source) };
}

/** Services by name, each after those that it needs, as far as they do not need each other in a ring. */
function inNeedOrder({ services }: Manifest): readonly string[] {
  const ordered = new Set<string>();
  const visiting = new Set<string>();
  const visit = (name: string) => {
    if (ordered.has(name) || visiting.has(name) || !(name in services)) return;
    visiting.add(name);
    services[name]!.needs.toSorted().forEach(visit);
    ordered.add(name);
  };
  Object.keys(services).toSorted().forEach(visit);
  return [...ordered];
}

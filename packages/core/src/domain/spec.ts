import type { Artifact, RevisionSpec, SecretRef, VolumeMount } from "@helixstack/sdk";
import { splitCommand } from "./command.ts";
import { digestOf } from "./digest.ts";
import type { Service } from "./manifest.ts";
import { serviceUrlVariable } from "./names.ts";
import type { BuildOrigin } from "./plan.ts";

/** Between SIGTERM and SIGKILL. */
export const GRACE_MS = 10_000;

/** What a build depends on besides its source. */
export interface BuildDependencies {
  readonly source: string;
  /** `name@version` of the builder. */
  readonly builder: string;
  readonly toolchain: string;
  readonly platform: string;
  readonly secrets: readonly SecretRef[];
}

/** The key under which a build is looked up: equal keys need no second build. */
export function buildOrigin(service: Service, dependencies: BuildDependencies): BuildOrigin {
  const { source, toolchain, secrets } = dependencies;
  const inputKey = digestOf({
    ...dependencies,
    secrets: secretsAs(service, { refs: secrets, uses: ["build"] }).map(({ ref }) => ref),
    options: service.options[service.build] ?? {},
    start: service.start,
  });
  return { plugin: service.build, inputKey, source, toolchain };
}

/**
 * Digest of all that makes a revision what it is. Addresses are left out: they follow from `needs` and do not change from release to
 * release. What only concerns routing and policy (drain, labels) is left out too, and changes without a new revision.
 */
export function serviceDigest(
  service: Service,
  { inputKey, runtimeVersion, secrets }: { inputKey: string; runtimeVersion: string; secrets: readonly SecretRef[] },
): string {
  const { start, env, needs, volumes, filesystem, tasks, replicas, resources, health, runtime } = service;
  const options = service.options[runtime] ?? {};
  const uses = secretsAs(service, { refs: secrets, uses: ["env", "file"] });
  const build = { inputKey, start, runtime, runtimeVersion, options };
  return digestOf({ ...build, env, needs, secrets: uses, volumes, filesystem, tasks, replicas, resources, health });
}

/** What a {@link RevisionSpec} is made of. */
export interface SpecInput {
  readonly names: { readonly project: string; readonly environment: string; readonly service: string };
  readonly service: Service;
  readonly artifact: Artifact;
  readonly secrets: readonly SecretRef[];
  readonly volumes: readonly VolumeMount[];
  /** `http://host:port` of each service that this one needs. */
  readonly urls: Readonly<Record<string, string>>;
}

/** What the runtime is asked for, all defaults resolved. */
export function revisionSpec({ names, service, artifact, secrets, volumes, urls }: SpecInput): RevisionSpec {
  // Builders put the start command into what they build; an image has one of its own, which the manifest's replaces.
  const own =
    artifact.kind === "oci-image" && service.start !== null ? splitCommand(service.start, `services.${names.service}.start`) : null;
  const needed = service.needs.flatMap((name) => (urls[name] === undefined ? [] : [[serviceUrlVariable(name), urls[name]] as const]));
  return {
    artifact,
    command: own?.argv ?? null,
    env: {
      ...own?.env,
      ...service.env,
      ...Object.fromEntries(needed),
      HELIX_PROJECT: names.project,
      HELIX_ENVIRONMENT: names.environment,
      HELIX_SERVICE: names.service,
    },
    secrets: secretsAs(service, { refs: secrets, uses: ["env", "file"] }) as RevisionSpec["secrets"],
    volumes,
    filesystem: service.filesystem,
    replicas: service.replicas,
    resources: service.resources,
    graceMs: GRACE_MS,
    options: service.options[service.runtime] ?? {},
  };
}

/** The pinned versions of the secrets that a service uses in one of these ways. */
export function secretsAs(
  service: Service,
  { refs, uses }: { refs: readonly SecretRef[]; uses: readonly string[] },
): readonly { readonly ref: SecretRef; readonly as: string }[] {
  return service.secrets.flatMap(({ name, as }) => {
    const ref = refs.find((pinned) => pinned.name === name);
    return ref && uses.includes(as) ? [{ ref, as }] : [];
  });
}

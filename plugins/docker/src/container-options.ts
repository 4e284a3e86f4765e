import { fileURLToPath } from "node:url";
import { ownerLabels, specDigest, type Identity, type RevisionSpec } from "@helixstack/sdk";
import { staticServerEntry } from "@helixstack/static-server";
import type { ContainerCreateOptions } from "./client.ts";
import { CONTAINER_PORT, type Config } from "./config.ts";
import { type SecretOptions, withSecrets } from "./secrets.ts";

/** Where a bundle lies in its container, and where data goes when no volume is declared. */
export const APP = "/app";
const DATA = "/helix/data";
const STATIC_SERVER = "/helix/static-server.mjs";

export interface ContainerInput {
  readonly identity: Identity;
  readonly spec: RevisionSpec;
  readonly config: Config;
  readonly image: string;
  readonly network: string;
  readonly user: string;
  readonly secrets: SecretOptions;
}

/** The long-running container of one instance. Pure. */
export function instanceOptions(input: ContainerInput, { name, address }: { name: string; address: string }): ContainerCreateOptions {
  const options = commonOptions(input, "revision");
  return {
    ...options,
    name,
    ...commandOf(input.spec, input.spec.command),
    Labels: { ...options.Labels, "helix.address": address },
    HostConfig: { ...options.HostConfig, RestartPolicy: { Name: "unless-stopped" } },
    NetworkingConfig: { EndpointsConfig: { [input.network]: { IPAMConfig: { IPv4Address: address } } } },
  };
}

/** The container of one task: same surroundings, its own command, no restart. Pure. */
export function taskOptions(
  input: ContainerInput,
  { name, command }: { name: string; command: readonly string[] },
): ContainerCreateOptions {
  return {
    ...commonOptions(input, "task"),
    name,
    ...commandOf(input.spec, command),
    NetworkingConfig: { EndpointsConfig: { [input.network]: {} } },
  };
}

/** The folder that is copied to {@link APP} before the container starts; null where there is nothing to copy. */
export function bundleFolder(spec: RevisionSpec): string | null {
  return spec.artifact.kind === "oci-image" || spec.filesystem === "read-only" ? null : fileURLToPath(spec.artifact.uri);
}

function commonOptions({ identity, spec, config, image, network, user, secrets }: ContainerInput, kind: string) {
  const isImage = spec.artifact.kind === "oci-image";
  return {
    Image: image,
    Env: [...environment(spec), ...secrets.env],
    Labels: { ...ownerLabels(identity, kind), "helix.spec": specDigest(spec) },
    ...(isImage ? {} : { WorkingDir: APP, User: user }),
    StopSignal: "SIGTERM",
    StopTimeout: Math.ceil(spec.graceMs / 1000),
    // An anonymous volume: writable on a read-only root too, kept over a restart, removed with its container.
    ...(spec.volumes.length === 0 && !isImage ? { Volumes: { [DATA]: {} } } : {}),
    HostConfig: {
      Init: true,
      NetworkMode: network,
      Binds: binds(spec),
      // Unlike a bind, a mount whose folder is gone is refused, and not made empty.
      Mounts: [...secrets.mounts],
      ReadonlyRootfs: spec.filesystem === "read-only",
      Tmpfs: memoryFolders(spec),
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      PidsLimit: config.pidsLimit,
      // A dump would hold everything that the application knows.
      Ulimits: [{ Name: "core", Soft: 0, Hard: 0 }],
      ...(spec.resources.memoryBytes === null ? {} : { Memory: spec.resources.memoryBytes, MemorySwap: spec.resources.memoryBytes }),
      ...(spec.resources.cpu === null ? {} : { NanoCpus: Math.round(spec.resources.cpu * 1e9) }),
      LogConfig: { Type: "json-file", Config: { "max-size": String(config.logMaxBytes), "max-file": "3" } },
    },
  } satisfies ContainerCreateOptions;
}

function memoryFolders(spec: RevisionSpec): Record<string, string> {
  const options = "rw,nosuid,nodev,mode=1777";
  return {
    ...(spec.filesystem === "read-only" ? { "/tmp": options } : {}),
    // An image's user is not known to own a volume that is made empty.
    ...(spec.artifact.kind === "oci-image" && spec.volumes.length === 0 ? { [DATA]: options } : {}),
  };
}

function environment(spec: RevisionSpec): string[] {
  const path = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
  const bundle = spec.artifact.kind === "node-bundle" ? spec.artifact.metadata.env : {};
  const own =
    spec.artifact.kind === "oci-image"
      ? {}
      : { PATH: [`${APP}/node_modules/.bin`, ...path].join(":"), HOME: APP, LANG: "C.UTF-8", TMPDIR: "/tmp" };
  const volumes = spec.volumes.map((volume) => [`HELIX_VOLUME_${volume.name.toUpperCase().replaceAll("-", "_")}`, volume.path] as const);
  const all = {
    TZ: "UTC",
    ...own,
    ...bundle,
    ...spec.env,
    PORT: String(CONTAINER_PORT),
    DATA_DIR: spec.volumes[0]?.path ?? DATA,
    ...Object.fromEntries(volumes),
  };
  return Object.entries(all).map(([key, value]) => `${key}=${value}`);
}

function binds(spec: RevisionSpec): string[] {
  const volumes = spec.volumes.map((volume) => `${volume.handle.id}:${volume.path}`);
  if (spec.artifact.kind === "oci-image") return volumes;
  if (spec.filesystem === "read-only") volumes.push(`${fileURLToPath(spec.artifact.uri)}:${APP}:ro`);
  if (spec.artifact.kind === "static-site") volumes.push(`${staticServerEntry}:${STATIC_SERVER}:ro`);
  return volumes;
}

/** An image keeps its own entry point and command unless the manifest has one; a bundle's command is an argument list. */
function commandOf(spec: RevisionSpec, command: readonly string[] | null): Pick<ContainerCreateOptions, "Cmd" | "Entrypoint"> {
  const { artifact } = spec;
  if (command) return { Cmd: withSecrets(spec, command), ...(artifact.kind === "oci-image" ? { Entrypoint: [] } : {}) };
  if (artifact.kind === "node-bundle") return { Cmd: withSecrets(spec, artifact.metadata.start) };
  if (artifact.kind === "static-site")
    return { Cmd: ["node", STATIC_SERVER, "--root", APP, "--fallback", artifact.metadata.fallback ?? "none"] };
  return {};
}

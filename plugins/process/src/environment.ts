import { dirname, join } from "node:path";
import { PluginError, type RevisionSpec } from "@helixstack/sdk";
import type { Folders } from "./names.ts";

export interface EnvironmentInput {
  readonly spec: RevisionSpec;
  readonly folders: Folders;
  /** Where its secrets are as files; null when there are none. The supervisor makes variables of those that shall be some. */
  readonly secretsFolder: string | null;
}

const SYSTEM_PATH = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** The whole environment of an application but for `PORT`, which the supervisor gives. Nothing of the engine's own is in it. */
export function environmentOf({ spec, folders, secretsFolder }: EnvironmentInput): Record<string, string> {
  const bundle = spec.artifact.kind === "node-bundle" ? spec.artifact.metadata.env : {};
  return {
    TZ: "UTC",
    LANG: "C.UTF-8",
    HOME: folders.app,
    TMPDIR: folders.temporary,
    PATH: [join(folders.app, "node_modules/.bin"), dirname(process.execPath), ...SYSTEM_PATH].join(":"),
    ...bundle,
    ...spec.env,
    ...(secretsFolder !== null && { SECRETS_DIR: secretsFolder }),
    DATA_DIR: spec.volumes[0]?.handle.id ?? folders.data,
    ...Object.fromEntries(spec.volumes.map(({ name, handle }) => [volumeVariable(name), handle.id])),
  };
}

/** Refuses artifacts that are no folders to run in, and volumes that are no folders of this machine. */
export function checkSpec(spec: RevisionSpec): void {
  const { kind } = spec.artifact;
  if (kind !== "node-bundle" && kind !== "static-site")
    throw new PluginError("INVALID_SPEC", `process runs node-bundle and static-site, not ${kind}`);
  const other = spec.volumes.find(({ handle }) => handle.kind !== "host-path");
  if (other === undefined) return;
  throw new PluginError(
    "INVALID_SPEC",
    `volume ${other.name} is a ${other.handle.kind}; processes of this machine can use host-path volumes only`,
  );
}

function volumeVariable(name: string): string {
  return `HELIX_VOLUME_${name.toUpperCase().replaceAll("-", "_")}`;
}

import type { Identity } from "@helixstack/sdk";

/** The container of one instance: names to read, the revision's id to be unique. */
export function containerName(identity: Identity, suffix: string | number): string {
  const { project, environment, service } = identity.names;
  const readable = [project, environment, service].map((name) => name.replaceAll(/[^a-zA-Z0-9_.-]+/g, "-").slice(0, 40)).join("-");
  return `helix-${readable}-${identity.revision}-${suffix}`;
}

/** The one network of an installation. */
export function networkName(installation: string): string {
  return `helix-${installation}`;
}

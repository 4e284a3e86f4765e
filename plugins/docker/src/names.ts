import type { Identity, Owned } from "@helixstack/sdk";

/** Container labels: ids to find things by, names to read. */
export function labelsOf(identity: Identity, kind: string): Record<string, string> {
  return {
    "helix.kind": kind,
    "helix.installation": identity.installation,
    "helix.organization": identity.organization,
    "helix.project": identity.names.project,
    "helix.environment": identity.names.environment,
    "helix.service": identity.names.service,
    "helix.revision": identity.revision,
    "helix.unit": identity.unit,
    "helix.project.id": identity.project,
    "helix.environment.id": identity.environment,
  };
}

/** The identity that labels tell; empty strings where a label is missing. */
export function identityOf(labels: Readonly<Record<string, string>>): Owned["identity"] {
  return {
    installation: labels["helix.installation"] ?? "",
    organization: labels["helix.organization"] ?? "",
    project: labels["helix.project.id"] ?? "",
    environment: labels["helix.environment.id"] ?? "",
    unit: labels["helix.unit"] ?? "",
    revision: labels["helix.revision"] ?? "",
  };
}

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

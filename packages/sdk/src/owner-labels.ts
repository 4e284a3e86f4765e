import type { Identity, Owned } from "./identity.ts";

/**
 * What a thing in a provider's world is tagged with, where tags are names and texts: ids to find it by, names to read. `kind` is the
 * provider's word for what it is (`revision`, `task`). {@link ownerOf} reads them back.
 *
 * @example ownerLabels(ctx.identity, "revision")["helix.revision"] // "rev_01jd4x8q3mk7c2v9w5ht"
 */
export function ownerLabels(identity: Identity, kind: string): Record<string, string> {
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

/** The owner that {@link ownerLabels} tell; empty strings where a label is missing. */
export function ownerOf(labels: Readonly<Record<string, string>>): Owned["identity"] {
  return {
    installation: labels["helix.installation"] ?? "",
    organization: labels["helix.organization"] ?? "",
    project: labels["helix.project.id"] ?? "",
    environment: labels["helix.environment.id"] ?? "",
    unit: labels["helix.unit"] ?? "",
    revision: labels["helix.revision"] ?? "",
  };
}

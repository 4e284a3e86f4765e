import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Identity } from "@helixstack/sdk";

/** The labels by which the instances of a revision are found, whatever people renamed since. */
export function revisionLabels(identity: Identity): Record<string, string> {
  return { "helix.kind": "revision", "helix.installation": identity.installation, "helix.revision": identity.revision };
}

/** The name of one process: names to read, the revision's id to be unique. */
export function unitName(identity: Identity, suffix: string): string {
  const { project, environment, service } = identity.names;
  return `${[project, environment, service].map(slug).join("-")}-${identity.revision}-${slug(suffix)}`;
}

/** Where the things of one revision are. */
export interface Folders {
  readonly revision: string;
  /** Kept by all instances together, for a service without a volume. */
  readonly data: string;
  /** One instance or task. */
  readonly instance: string;
  readonly app: string;
  readonly temporary: string;
}

/** The folders of one instance (`suffix` its number) or task. */
export function foldersOf(home: string, revision: string, suffix: string): Folders {
  const folder = join(home, "revisions", revision);
  const instance = join(folder, slug(suffix));
  return { revision: folder, data: join(folder, "data"), instance, app: join(instance, "app"), temporary: join(instance, "tmp") };
}

/** Names the home in places outside it. */
export function homeTag(home: string): string {
  return createHash("sha256").update(home).digest("hex").slice(0, 12);
}

function slug(name: string): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
  return plain.slice(0, 40) || "x";
}

import { createHash } from "node:crypto";

/** The longest label of a host name, RFC 1035. */
export const MAX_LABEL_BYTES = 63;
const HASH_LENGTH = 8;

/** What a project or service may be called: lower case letters, digits and dashes, a letter first, no dash last, at most 40 characters. */
export const NAME_RULE = /^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$/;

export function isName(name: string): boolean {
  return NAME_RULE.test(name);
}

/** What an environment may be called: a name, and for previews what comes after a slash, such as a branch. */
export const ENVIRONMENT_RULE = /^[a-z][a-z0-9-]{0,38}(\/[A-Za-z0-9][A-Za-z0-9._/-]{0,98})?$/;

export function isEnvironmentName(name: string): boolean {
  return ENVIRONMENT_RULE.test(name) && !name.includes("..") && !name.endsWith("/");
}

/**
 * A name as one label of a host name. A name that is a label already stays as it is; of any other, two could become the same label, so it gets a
 * hash of the whole name.
 *
 * @example hostLabel("preview/Login") // "preview-login-5f9d1c07"
 */
export function hostLabel(name: string): string {
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  if (slug === name && slug.length <= MAX_LABEL_BYTES) return slug;
  const cut = slug.slice(0, MAX_LABEL_BYTES - HASH_LENGTH - 1).replace(/-+$/, "");
  return cut === "" ? hash(name) : `${cut}-${hash(name)}`;
}

/** The names under which a service is reached on this machine. */
export function hostName(names: { readonly project: string; readonly environment: string; readonly service: string }): string {
  return `${hostLabel(names.service)}.${hostLabel(names.environment)}.${hostLabel(names.project)}.localhost`;
}

/**
 * The environment variable that names a needed service's address.
 *
 * @example serviceUrlVariable("image-worker") // "HELIX_SERVICE_IMAGE_WORKER_URL"
 */
export function serviceUrlVariable(service: string): string {
  return `HELIX_SERVICE_${service.toUpperCase().replace(/[^A-Z0-9]/g, "_")}_URL`;
}

/** Begins with a letter, so that it is a label by itself. */
function hash(name: string): string {
  return `h${createHash("sha256")
    .update(name)
    .digest("hex")
    .slice(0, HASH_LENGTH - 1)}`;
}

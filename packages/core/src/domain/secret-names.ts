import { EngineError } from "./errors.ts";
import { isEnvironmentName, isName } from "./names.ts";

/** Where secrets live: those of one environment's applications, or a plugin's own credentials. */
export type SecretPath = { readonly project: string; readonly environment: string } | { readonly plugin: string };

/** What a secret may be called: what an environment variable may. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
const RESERVED = new Set(["PORT", "DATA_DIR", "SECRETS_DIR"]);
const ORGANIZATION = /^org_[0-9a-z]{1,40}$/;
/** Linux takes no longer variable than 128 KiB, name and all. */
export const MAX_SECRET_BYTES = 64 * 1024;

export function isSecretName(name: string): boolean {
  return NAME.test(name);
}

/**
 * The segments of a path, each of them plain: letters, digits, `-`, `_`, `.`, `~`. Two paths never have the same segments. Whatever is not made of proper names is
 * refused with `SCOPE_FORBIDDEN` and not repaired: a path that needs to be normalized is somebody else's.
 */
export function secretSegments(organization: string, path: SecretPath): readonly string[] {
  if (!ORGANIZATION.test(organization)) throw forbidden();
  if ("plugin" in path) {
    if (!isName(path.plugin)) throw forbidden();
    return [organization, "plugins", path.plugin];
  }
  if (!isName(path.project) || !isEnvironmentName(path.environment)) throw forbidden();
  return [organization, "projects", path.project, path.environment.replaceAll("/", "~")];
}

/** The name itself, or `SCOPE_FORBIDDEN`. */
export function requireSecretName(name: string): string {
  if (isSecretName(name)) return name;
  throw forbidden();
}

/** Whether the runtime sets a variable of this name itself. */
export function isReservedName(name: string): boolean {
  return RESERVED.has(name) || name.startsWith("HELIX_");
}

/** Says what is wrong with a value, without showing it; null when nothing is. */
export function secretValueFault(value: string): string | null {
  if (value === "") return "is empty";
  if (value.includes("\0")) return "holds a NUL, which no environment variable can";
  const bytes = Buffer.byteLength(value);
  return bytes > MAX_SECRET_BYTES ? `has ${bytes} bytes; ${MAX_SECRET_BYTES} are the most` : null;
}

/** How people read a path. */
export function shownPath(path: SecretPath): string {
  return "plugin" in path ? `the plugin ${path.plugin}` : `${path.project}/${path.environment}`;
}

function forbidden(): EngineError {
  return new EngineError("SCOPE_FORBIDDEN", "the path is none of this project's: it is not made of names as a manifest has them");
}

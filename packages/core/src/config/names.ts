import { EngineError } from "../domain/errors.ts";
import { ENVIRONMENT_RULE, NAME_RULE, isEnvironmentName } from "../domain/names.ts";
import { isReservedName } from "../domain/secret-names.ts";

/** Names that end up in host names, container names and folders. */
export const NAME_PATTERN = NAME_RULE.source;
/** Names of environment variables and secrets. */
export const VARIABLE_PATTERN = "^[A-Za-z_][A-Za-z0-9_]{0,127}$";
/** `production`, `preview/feature-x`. */
export const ENVIRONMENT_PATTERN = ENVIRONMENT_RULE.source;

/** Whether the runtime sets this variable itself, so that a manifest must not. */
export const isReservedVariable = isReservedName;

/** The name of an environment as a person typed it. Rejects with `USAGE`. */
export function checkEnvironmentName(name: string): string {
  if (isEnvironmentName(name)) return name;
  throw new EngineError("USAGE", `"${name.slice(0, 80)}" is not the name of an environment`, {
    hint: "Write lower-case letters, digits and dashes, as in `production` or `preview/my-branch`.",
  });
}

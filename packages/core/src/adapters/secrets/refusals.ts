import type { Secret, SecretRef } from "@helixstack/sdk";
import { EngineError } from "../../domain/errors.ts";
import { type SecretPath, secretValueFault, shownPath } from "../../domain/secret-names.ts";

/** Secrets that a manifest lists and nobody has set. */
export function missing(path: SecretPath, names: readonly string[]): EngineError {
  const which = names.length === 1 ? `the secret ${names[0]} has` : `the secrets ${names.join(", ")} have`;
  const option = "environment" in path && path.environment !== "production" ? ` --environment ${path.environment}` : "";
  const hint =
    names.length === 1
      ? `Run \`helix secrets set ${names[0]}${option}\`.`
      : `Run \`helix secrets set NAME${option}\` for each, or \`helix env push${option}\`.`;
  return new EngineError("SECRET_MISSING", `${which} no value in ${shownPath(path)}`, { hint, details: { names } });
}

/** A version that a release pins and that was removed. */
export function goneVersion(path: SecretPath, { name, version }: SecretRef): EngineError {
  return new EngineError("SECRET_MISSING", `the secret ${name} has no version ${version} in ${shownPath(path)} any more`, {
    hint: `It was removed. Set it again with \`helix secrets set ${name}\`, then \`helix deploy\`.`,
    details: { names: [name] },
  });
}

/** A check-and-set that lost. */
export function changed(name: string, { expect, found }: { readonly expect: string | null; readonly found: string | null }): EngineError {
  const shown = (version: string | null) => (version === null ? "no value" : `version ${version}`);
  return new EngineError("SECRET_CHANGED", `${name} has ${shown(found)}, not ${shown(expect)}`, { details: { name } });
}

/** Rejects a value that no application could be given. Says nothing of it but what is wrong. */
export function checkValue(name: string, value: Secret): void {
  const fault = secretValueFault(value.reveal());
  if (fault !== null) throw new EngineError("SECRET_INVALID", `the value of ${name} ${fault}`);
}

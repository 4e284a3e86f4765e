import type { Secret, SecretRef } from "@helixstack/sdk";
import { EngineError, toEngineError } from "../domain/errors.ts";
import type { InstalledPlugin, PluginCall } from "../ports/plugins.ts";
import { type CallPlace, callError, placeOf } from "./call-errors.ts";
import type { SecretRequest } from "./protocol.ts";

/**
 * Gives one secret to one call, or rejects. A plugin gets its own credentials by the names that its manifest declares, and an application's
 * secrets by the references that stand in this call's input: nothing else, whatever it asks for.
 */
export async function grantSecret(
  request: SecretRequest,
  { call, plugin }: { call: PluginCall; plugin: InstalledPlugin },
): Promise<Secret> {
  const place = placeOf(call, plugin);
  const { name, version } = request;
  if (request.kind === "credential") {
    if (!plugin.manifest.permissions.secrets.includes(name))
      throw refusal(place, `asked for the credential ${name}, which its permissions do not name`);
    if (!call.secrets?.credential) throw refusal(place, `asked for the credential ${name}, and this call gives none`);
    return call.secrets.credential(name).catch(named(place));
  }
  const ref = referencesIn(call.input).find((one) => one.name === name && one.version === version);
  if (!ref) throw refusal(place, `asked for the secret ${name}@${version}, which this call's input does not name`);
  if (!call.secrets?.resolve) throw refusal(place, `asked for the secret ${name}@${version}, and this call gives none`);
  return call.secrets.resolve(ref).catch(named(place));
}

function refusal(place: CallPlace, what: string): EngineError {
  return callError("FORBIDDEN", place, what, { hint: "Report it to the plugin's author: it may ask for what it declared only." });
}

function named({ plane, plugin }: CallPlace) {
  return (error: unknown): never => {
    throw toEngineError(error).at({ plane, plugin });
  };
}

/** The references of a runtime's spec, or of a build. */
function referencesIn(input: unknown): readonly SecretRef[] {
  const { spec, secrets } = (input ?? {}) as {
    readonly spec?: { readonly secrets?: readonly { readonly ref: SecretRef }[] } | null;
    readonly secrets?: readonly SecretRef[];
  };
  return [...(spec?.secrets ?? []).map(({ ref }) => ref), ...(secrets ?? [])];
}

import { EngineError } from "../domain/errors.ts";
import type { SecretStore } from "../ports/secret-store.ts";

/** The secret store of an installation that has none: whoever asks for no secret gets none, whoever asks for one is told which are missing. */
export const noSecrets: SecretStore = {
  pin(_scope, { path, names }) {
    if (names.length === 0) return Promise.resolve([]);
    const which = names.length === 1 ? `secret ${names[0]} has` : `secrets ${names.join(", ")} have`;
    const message = `the ${which} no value in ${path.project}/${path.environment}: no secret store is set up`;
    return Promise.reject(new EngineError("SECRET_MISSING", message, { details: { names } }));
  },

  read(_scope, { path, ref }) {
    const message = `secret ${ref.name} has no version ${ref.version} in ${path.project}/${path.environment}: no secret store is set up`;
    return Promise.reject(new EngineError("SECRET_MISSING", message, { details: { names: [ref.name] } }));
  },
};

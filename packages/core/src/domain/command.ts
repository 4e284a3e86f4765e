import { type Command, isPluginError, parseCommand } from "@helixstack/sdk";
import { EngineError } from "./errors.ts";

/**
 * {@link parseCommand} for a command of the manifest. `place` names where it stands, for the message. Rejects with `MANIFEST_INVALID` what the one
 * grammar refuses.
 *
 * @example splitCommand("NODE_ENV=test node 'my file.js'", "services.web.start") // { argv: ["node", "my file.js"], env: { NODE_ENV: "test" } }
 */
export function splitCommand(text: string, place: string): Command {
  try {
    return parseCommand(text);
  } catch (error) {
    if (!isPluginError(error)) throw error;
    throw new EngineError("MANIFEST_INVALID", `${place}: ${error.message}`, { hint: error.hint, cause: error });
  }
}

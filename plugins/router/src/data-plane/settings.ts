import Value from "typebox/value";
import { type RouterConfig, configSchema } from "../config.ts";

/** Reads the configuration that the local plane hands to the process. Throws one sentence that names the wrong key. */
export function readSettings(env: NodeJS.ProcessEnv): RouterConfig {
  const text = env["HELIX_PLUGIN_CONFIG"];
  if (text === undefined)
    throw new Error("HELIX_PLUGIN_CONFIG is not set: the local plane starts this process with its configuration in it");
  const settings = Value.Default(configSchema, JSON.parse(text));
  if (Value.Check(configSchema, settings)) return settings;
  const first = Value.Errors(configSchema, settings)[0];
  throw new Error(`HELIX_PLUGIN_CONFIG is wrong at ${first?.instancePath || "/"}: ${first?.message ?? "not a router configuration"}`);
}

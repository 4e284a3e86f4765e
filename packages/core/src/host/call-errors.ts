import { PLUGIN_ERRORS } from "@helixstack/sdk";
import { EngineError, type EngineErrorOptions, type ErrorCode } from "../domain/errors.ts";
import type { InstalledPlugin, PluginCall } from "../ports/plugins.ts";
import type { WireError } from "./protocol.ts";

/** What errors of one call say of their place. */
export interface CallPlace {
  readonly plane: PluginCall["plane"];
  readonly verb: string;
  /** `name@version`. */
  readonly plugin: string;
}

export function placeOf({ plane, verb }: Pick<PluginCall, "plane" | "verb">, plugin: InstalledPlugin): CallPlace {
  return { plane, verb, plugin: labelOf(plugin) };
}

/** `name@version`, as errors and records name a plugin. */
export function labelOf({ manifest }: Pick<InstalledPlugin, "manifest">): string {
  return `${manifest.name}@${manifest.version}`;
}

/** An error of the call as a whole. `what` continues the sentence `<plane>.<verb> of <plugin> ...`. */
export function callError(code: ErrorCode, place: CallPlace, what: string, options: EngineErrorOptions = {}): EngineError {
  const { plane, plugin, verb } = place;
  return new EngineError(code, `${plane}.${verb} of ${plugin} ${what}`, { plane, plugin, ...options });
}

/** An error that the plugin raised, in its own words. A code that is none of the contract's counts as `INTERNAL`. */
export function raisedError({ plane, plugin }: CallPlace, { code, message, hint, retryable, logs, details }: WireError): EngineError {
  const known = Object.hasOwn(PLUGIN_ERRORS, code) ? (code as keyof typeof PLUGIN_ERRORS) : "INTERNAL";
  return new EngineError(known, message, {
    plane,
    plugin,
    ...(typeof hint === "string" && { hint }),
    ...(typeof retryable === "boolean" && { retryable }),
    ...(Array.isArray(logs) && logs.length > 0 && { logs: logs.map(String) }),
    ...(typeof details === "object" && details !== null && Object.keys(details).length > 0 && { details }),
  });
}

export function seconds(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${Math.round(ms / 100) / 10} s`;
}

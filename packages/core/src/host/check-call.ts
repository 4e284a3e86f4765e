import { requiredVerbs } from "@helixstack/sdk";
import type { InstalledPlugin, PluginCall } from "../ports/plugins.ts";
import { callError, placeOf } from "./call-errors.ts";
import { ANSWERS } from "./contract-schemas.ts";

/** Refuses what can be known to fail without asking the plugin. Throws `UNSUPPORTED` or `PLUGIN_INVALID`. */
export function checkCall(call: PluginCall, plugin: InstalledPlugin): void {
  const { plane, verb, stateVersion } = call;
  const { capabilities, planes } = plugin.manifest;
  const place = placeOf(call, plugin);
  const has = requiredVerbs(plane).includes(verb) || capabilities.includes(`${plane}.${verb}`);
  if (!has || !Object.hasOwn(ANSWERS[plane], verb))
    throw callError("UNSUPPORTED", place, "is not there: the plugin does not have this verb");
  const current = plane === "build" ? undefined : planes[plane]?.stateVersion;
  if (current === undefined || stateVersion === undefined || stateVersion === null || stateVersion <= current) return;
  throw callError("PLUGIN_INVALID", place, `knows states up to version ${current}, and one of version ${stateVersion} is stored`, {
    hint: "Install a version of the plugin that is at least as new as the one that stored it.",
  });
}

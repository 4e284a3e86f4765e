import type { Static, TSchema } from "typebox";
import type { BuildPlane } from "./build.ts";
import type { DeliveryPlane } from "./delivery.ts";
import type { RuntimePlane } from "./runtime.ts";

/** The contract version of this SDK. Raised only when an old plugin could no longer be called safely. */
export const CONTRACT_VERSION = 1;

/** What a plugin may reach. Shown before it is installed; enforced by the host as far as the host's `sandbox` says. */
export interface Permissions {
  /** Hosts that it connects to, `host:port`, or `unix:<what>`. */
  readonly net: readonly string[];
  /** Names of the plugin's own credentials. */
  readonly secrets: readonly string[];
  /** Programs that it runs. */
  readonly exec: readonly string[];
  /** Folders outside its own that it reads or writes. */
  readonly fs: readonly string[];
}

/** A process of the plugin's own that the local plane keeps running beside the engine. */
export interface Daemon {
  /** The role under which `helix status` lists it. */
  readonly role: string;
  /** Its script, relative to the plugin's folder. It gets the plugin's configuration as JSON in `HELIX_PLUGIN_CONFIG`. */
  readonly entry: string;
}

/** A plugin, as its author writes it. */
export interface PluginDefinition<C extends TSchema = TSchema> {
  readonly contract: typeof CONTRACT_VERSION;
  /** Lower case, digits and dashes; the name under which a manifest chooses it. */
  readonly name: string;
  /** Semver of the plugin itself. */
  readonly version: string;
  /** Semver range of the engines it works with. */
  readonly engine: string;
  /** One sentence for lists. */
  readonly description: string;
  /** What an operator sets once: address, region, account. Unknown keys are refused; defaults are filled in. */
  readonly config: C;
  readonly permissions: Permissions;
  readonly planes: Planes<Static<C>>;
  readonly daemons?: readonly Daemon[];
}

/** The planes that a plugin fills: at least one. */
export interface Planes<Config = any> {
  readonly build?: BuildPlane<Config>;
  readonly runtime?: RuntimePlane<Config>;
  readonly delivery?: DeliveryPlane<Config>;
}

/** The name of a plane. */
export type PlaneName = keyof Planes;

/**
 * Types and freezes a plugin; checks nothing (the host does, with better messages).
 *
 * @example
 * export default definePlugin({
 *   contract: 1, name: "static", version: "0.1.0", engine: ">=0.1", description: "Serves a folder.",
 *   config: Type.Object({}), permissions: { net: [], secrets: [], exec: [], fs: [] },
 *   planes: { build },
 * });
 */
export function definePlugin<C extends TSchema>(definition: PluginDefinition<C>): Readonly<PluginDefinition<C>> {
  return Object.freeze(definition);
}

const REQUIRED: Readonly<Record<PlaneName, readonly string[]>> = {
  build: ["toolchain", "detect", "build"],
  runtime: ["observe", "plan", "apply", "destroy", "list"],
  delivery: ["observe", "plan", "apply", "destroy", "list"],
};

/**
 * The optional verbs that a plugin really has, as `plane.verb`, sorted. Read from the code, so that no list can promise what is not
 * there.
 *
 * @example capabilitiesOf(docker) // ["runtime.logs", "runtime.run", "runtime.suspend"]
 */
export function capabilitiesOf(plugin: { readonly planes: Planes }): readonly string[] {
  const found = Object.entries(plugin.planes).flatMap(([plane, verbs]) =>
    Object.entries(verbs)
      .filter(([verb, value]) => typeof value === "function" && verb !== "upgradeState" && !REQUIRED[plane as PlaneName].includes(verb))
      .map(([verb]) => `${plane}.${verb}`),
  );
  return found.sort();
}

/** The verbs that a plane must have. */
export function requiredVerbs(plane: PlaneName): readonly string[] {
  return REQUIRED[plane];
}

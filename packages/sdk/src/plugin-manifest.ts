import type { TSchema } from "typebox";
import type { ArtifactKind } from "./artifact.ts";
import { type Daemon, type Permissions, type PluginDefinition, capabilitiesOf } from "./define-plugin.ts";
import type { EndpointKind } from "./endpoint.ts";
import type { Fencing } from "./reconciler.ts";

/**
 * What `helix-plugin.json` says of a plugin: generated from the code when the plugin is packed, read by the engine without running
 * the code, compared with the running plugin at the handshake.
 */
export interface PluginManifest {
  readonly contract: number;
  readonly name: string;
  readonly version: string;
  readonly engine: string;
  readonly description: string;
  /** The plugin's module, relative to the manifest. */
  readonly entry: string;
  readonly config: TSchema;
  readonly permissions: Permissions;
  readonly capabilities: readonly string[];
  readonly daemons: readonly Daemon[];
  readonly planes: {
    readonly build?: { readonly produces: readonly ArtifactKind[]; readonly spec: TSchema };
    readonly runtime?: {
      readonly accepts: readonly ArtifactKind[];
      readonly exposes: EndpointKind;
      readonly spec: TSchema;
      readonly state: TSchema;
      readonly stateVersion: number;
      readonly fencing: Fencing;
    };
    readonly delivery?: {
      readonly routes: readonly EndpointKind[];
      readonly state: TSchema;
      readonly stateVersion: number;
      readonly fencing: Fencing;
    };
  };
}

/** The manifest of a plugin. `entry` is where its module will be, relative to the manifest. */
export function manifestOf(plugin: PluginDefinition, { entry }: { readonly entry: string }): PluginManifest {
  const { build, runtime, delivery } = plugin.planes;
  return {
    contract: plugin.contract,
    name: plugin.name,
    version: plugin.version,
    engine: plugin.engine,
    description: plugin.description,
    entry,
    config: plugin.config,
    permissions: plugin.permissions,
    capabilities: capabilitiesOf(plugin),
    daemons: plugin.daemons ?? [],
    planes: {
      ...(build && { build: { produces: build.produces, spec: build.spec } }),
      ...(runtime && {
        runtime: {
          accepts: runtime.accepts,
          exposes: runtime.exposes,
          spec: runtime.spec,
          state: runtime.state,
          stateVersion: runtime.stateVersion,
          fencing: runtime.fencing,
        },
      }),
      ...(delivery && {
        delivery: { routes: delivery.routes, state: delivery.state, stateVersion: delivery.stateVersion, fencing: delivery.fencing },
      }),
    },
  };
}

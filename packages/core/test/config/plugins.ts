import type { PluginManifest } from "@helixstack/sdk";
import { Type } from "typebox";

/** Static manifests of plugins such as the local ones, as far as the reader looks at them. */
export const PLUGINS: readonly PluginManifest[] = [
  plugin("node", { build: { produces: ["node-bundle"], spec: Type.Object({}) } }),
  plugin("static", {
    build: {
      produces: ["static-site"],
      spec: Type.Object({ dir: Type.String({ default: "." }), fallback: Type.Optional(Type.String()) }),
    },
  }),
  plugin("process", { runtime: runtime(Type.Object({})) }),
  plugin("docker", { runtime: runtime(Type.Object({ network: Type.Optional(Type.Object({ name: Type.String() })) })) }),
  plugin("router", { delivery: { routes: ["http"], state: Type.Object({}), stateVersion: 1, fencing: "fence" } }),
  plugin("both", {
    build: { produces: ["node-bundle"], spec: Type.Object({ flags: Type.Array(Type.String()) }) },
    runtime: runtime(Type.Object({ zone: Type.String({ default: "a" }) })),
  }),
];

function runtime(spec: ReturnType<typeof Type.Object>): NonNullable<PluginManifest["planes"]["runtime"]> {
  return { accepts: ["node-bundle"], exposes: "http", spec, state: Type.Object({}), stateVersion: 1, fencing: "names" };
}

function plugin(name: string, planes: PluginManifest["planes"]): PluginManifest {
  return {
    contract: 1,
    name,
    version: "0.1.0",
    engine: ">=0.1",
    description: name,
    entry: "dist/index.js",
    config: Type.Object({}),
    permissions: { net: [], secrets: [], exec: [], fs: [] },
    capabilities: [],
    daemons: [],
    planes,
  };
}

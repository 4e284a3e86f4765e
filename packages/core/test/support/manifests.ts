import type { EndpointKind, PluginManifest } from "@helixstack/sdk";
import type { Manifest, Service } from "../../src/domain/manifest.ts";

/** A service with every default filled in. */
export function service(changes: Partial<Service> = {}): Service {
  return {
    source: ".",
    build: "memory",
    runtime: "memory",
    delivery: "memory",
    start: null,
    env: {},
    secrets: [],
    health: { path: null, timeoutMs: 5_000 },
    needs: [],
    volumes: {},
    filesystem: "writable",
    tasks: {},
    replicas: 1,
    resources: { memoryBytes: null, cpu: null },
    labels: {},
    drainMs: 500,
    options: {},
    ...changes,
  };
}

export function manifest(services: Record<string, Partial<Service>>, changes: Partial<Omit<Manifest, "services">> = {}): Manifest {
  return {
    project: "shop",
    services: Object.fromEntries(Object.entries(services).map(([name, changed]) => [name, service(changed)])),
    guardrails: { maturity: "mvp" },
    rollback: { keep: 1, forMs: 60_000 },
    ...changes,
  };
}

export interface FakeManifest {
  readonly name: string;
  readonly produces?: PluginManifest["planes"] extends { build?: infer B }
    ? NonNullable<B> extends { produces: infer P }
      ? P
      : never
    : never;
  readonly accepts?: readonly ("node-bundle" | "static-site" | "oci-image" | "worker-bundle")[];
  readonly exposes?: EndpointKind;
  readonly routes?: readonly EndpointKind[];
  readonly capabilities?: readonly string[];
}

/** The static manifest of a plugin that fills every plane. */
export function pluginManifest({ name, produces, accepts, exposes, routes, capabilities }: FakeManifest): PluginManifest {
  return {
    contract: 1,
    name,
    version: "1.0.0",
    engine: ">=0.1",
    description: name,
    entry: "index.js",
    config: {},
    permissions: { net: [], secrets: [], exec: [], fs: [] },
    capabilities: capabilities ?? ["runtime.run", "runtime.suspend", "runtime.ensureVolume", "runtime.destroyVolume", "delivery.drain"],
    daemons: [],
    planes: {
      build: { produces: produces ?? ["node-bundle"], spec: {} },
      runtime: { accepts: accepts ?? ["node-bundle"], exposes: exposes ?? "http", spec: {}, state: {}, stateVersion: 1, fencing: "names" },
      delivery: { routes: routes ?? ["http"], state: {}, stateVersion: 1, fencing: "fence" },
    },
  };
}

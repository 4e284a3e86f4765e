import type { PlaneName, PluginManifest } from "@helixstack/sdk";
import { EngineError } from "./errors.ts";
import type { Manifest, Service } from "./manifest.ts";

/** Finds an installed plugin's manifest. Throws `PLUGIN_UNKNOWN`. */
export type PluginLookup = (plane: PlaneName, name: string) => PluginManifest;

/** A volume that exists already, as far as a new runtime must understand it. */
export interface KnownVolume {
  readonly service: string;
  readonly name: string;
  /** The runtime plugin that made it. */
  readonly plugin: string;
  /** The kind of its handle; null while it was never made. */
  readonly kind: string | null;
}

/** Handles that every runtime of one machine can use. */
const SHARED_VOLUME_KINDS = new Set(["host-path"]);

/** Refuses plugins that do not fit together, in one sentence and before anything is made. Throws `CHAIN_UNFIT` or `PLUGIN_UNKNOWN`. */
export function checkChain(manifest: Manifest, { find, volumes }: { find: PluginLookup; volumes: readonly KnownVolume[] }): void {
  for (const [name, service] of Object.entries(manifest.services)) {
    const problem = serviceProblem(name, { service, manifest, find, volumes: volumes.filter((volume) => volume.service === name) });
    if (problem) throw new EngineError("CHAIN_UNFIT", `services.${name}: ${problem}`);
  }
}

interface ServiceChain {
  readonly service: Service;
  readonly manifest: Manifest;
  readonly find: PluginLookup;
  readonly volumes: readonly KnownVolume[];
}

function serviceProblem(name: string, chain: ServiceChain): string | null {
  const { service, manifest } = chain;
  const missing = service.needs.find((needed) => needed === name || !(needed in manifest.services));
  if (missing !== undefined) return missing === name ? "it needs itself" : `it needs ${missing}, and there is no such service`;
  return handOffProblem(chain) ?? capabilityProblem(chain) ?? volumeProblem(chain);
}

/** What one plugin makes, the next must take. */
function handOffProblem({ service, find }: ServiceChain): string | null {
  const produces = find("build", service.build).planes.build!.produces;
  const { accepts, exposes } = find("runtime", service.runtime).planes.runtime!;
  if (!produces.some((kind) => accepts.includes(kind))) {
    return `build ${service.build} makes ${list(produces)}, and runtime ${service.runtime} takes ${list(accepts)}`;
  }
  const { routes } = find("delivery", service.delivery).planes.delivery!;
  // What has no address needs none.
  if (exposes === "none" || routes.includes(exposes)) return null;
  return `runtime ${service.runtime} exposes ${exposes}, and delivery ${service.delivery} routes ${list(routes)}`;
}

/** What the manifest asks of a runtime must be something that it can do. */
function capabilityProblem({ service, find }: ServiceChain): string | null {
  const { capabilities } = find("runtime", service.runtime);
  const lacks = (verb: string) => !capabilities.includes(`runtime.${verb}`);
  const has = (record: object) => Object.keys(record).length > 0;
  if (has(service.tasks) && lacks("run")) return `it has tasks, and runtime ${service.runtime} cannot run any`;
  if (has(service.volumes) && lacks("ensureVolume")) return `it has volumes, and runtime ${service.runtime} cannot keep any`;
  const single = Object.entries(service.volumes).find(([, volume]) => volume.writers === "single")?.[0];
  if (single === undefined) return null;
  if (service.replicas > 1) return `${service.replicas} replicas would write to volume ${single}, which takes a single writer`;
  if (lacks("suspend")) return `volume ${single} takes a single writer, and runtime ${service.runtime} cannot stop the old one for the new`;
  return null;
}

/** Data does not move: the new runtime has to understand the volume that is there. */
function volumeProblem({ service, volumes }: ServiceChain): string | null {
  for (const { name, plugin, kind } of volumes) {
    const isFit = plugin === service.runtime || kind === null || SHARED_VOLUME_KINDS.has(kind);
    if (name in service.volumes && !isFit) {
      return `volume ${name} is kept by ${plugin} as ${kind}, which runtime ${service.runtime} cannot use; its data is not moved`;
    }
  }
  return null;
}

function list(kinds: readonly string[]): string {
  return kinds.length === 0 ? "nothing" : kinds.join(" or ");
}

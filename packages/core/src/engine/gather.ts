import type { SecretRef } from "@helixstack/sdk";
import { checkChain, type KnownVolume, type PluginLookup } from "../domain/chain.ts";
import { splitCommand } from "../domain/command.ts";
import type { Manifest, Service } from "../domain/manifest.ts";
import type { WantedService } from "../domain/planner.ts";
import { buildOrigin, serviceDigest } from "../domain/spec.ts";
import type { VolumeRecord } from "../ports/index.ts";
import { readPlugin } from "./call.ts";
import type { EngineDeps } from "./deps.ts";
import { type Place, identityOf } from "./place.ts";

/** What a deploy is planned from, besides what lives. */
export interface Wish {
  readonly manifest: Manifest;
  /** Digest of each service's source. */
  readonly sources: Readonly<Record<string, string>>;
}

/** Refuses a manifest whose plugins do not fit, or whose commands need a shell, before anything is read for it. */
export async function checkManifest(deps: EngineDeps, place: Place, manifest: Manifest): Promise<void> {
  const find: PluginLookup = (plane, name) => deps.plugins.get(plane, name).manifest;
  const volumes = place.environment.id === "none" ? [] : await deps.ledger.volumes(place.scope, { environment: place.environment.id });
  checkChain(manifest, { find, volumes: volumes.filter(isPresent).map(knownVolume) });
  for (const [name, { tasks }] of Object.entries(manifest.services)) {
    for (const [task, command] of Object.entries(tasks)) splitCommand(command, `services.${name}.tasks.${task}`);
  }
}

/** What each service shall be: pins secrets and asks builders for their tools. Writes nothing. */
export async function gatherWanted(deps: EngineDeps, place: Place, wish: Wish): Promise<Readonly<Record<string, WantedService>>> {
  const services = Object.entries(wish.manifest.services);
  const builders = [...new Set(services.map(([, { build }]) => build))];
  const [secrets, toolchains] = await Promise.all([
    pinSecrets(deps, place, wish.manifest),
    Promise.all(builders.map(async (builder) => [builder, await toolchainOf(deps, place, builder)] as const)),
  ]);
  const tools = new Map(toolchains);
  const wanted = services.map(([name, service]): [string, WantedService] => {
    const pinned = secrets.filter((ref) => service.secrets.some((use) => use.name === ref.name));
    const builder = `${service.build}@${deps.plugins.get("build", service.build).manifest.version}`;
    const dependencies = { source: wish.sources[name]!, builder, toolchain: tools.get(service.build)!, platform: deps.platform };
    const build = buildOrigin(service, { ...dependencies, secrets: pinned });
    const { version: runtimeVersion } = deps.plugins.get("runtime", service.runtime).manifest;
    const specDigest = serviceDigest(service, { inputKey: build.inputKey, runtimeVersion, secrets: pinned });
    const isRouted = routes(deps, service);
    return [
      name,
      {
        build,
        runtimeVersion,
        isRouted,
        secrets: pinned,
        specDigest,
        artifact: null,
        reuse: null,
        shownSecrets: shownSecrets(deps, service),
      },
    ];
  });
  return Object.fromEntries(wanted);
}

/** Secrets that the manifest wants in the environment of an image. */
function shownSecrets({ plugins }: EngineDeps, { build, secrets }: Service): readonly string[] {
  const isImage = plugins.get("build", build).manifest.planes.build!.produces.includes("oci-image");
  return isImage ? secrets.filter(({ as }) => as === "env").map(({ name }) => name) : [];
}

/** Whether a service's delivery brings requests to what its runtime exposes. */
export function routes({ plugins }: Pick<EngineDeps, "plugins">, { runtime, delivery }: { runtime: string; delivery: string }): boolean {
  const { exposes } = plugins.get("runtime", runtime).manifest.planes.runtime!;
  return plugins.get("delivery", delivery).manifest.planes.delivery!.routes.includes(exposes);
}

async function pinSecrets(
  { secrets }: EngineDeps,
  { scope, project, environment }: Place,
  manifest: Manifest,
): Promise<readonly SecretRef[]> {
  const names = [...new Set(Object.values(manifest.services).flatMap((service) => service.secrets.map(({ name }) => name)))];
  if (names.length === 0) return [];
  return secrets.pin(scope, { path: { project: project.name, environment: environment.name }, names: names.toSorted() });
}

function toolchainOf(deps: EngineDeps, place: Place, builder: string): Promise<string> {
  return readPlugin(deps, place, { plane: "build", plugin: builder, verb: "toolchain", identity: identityOf(place, {}) });
}

function isPresent({ state }: VolumeRecord): boolean {
  return state === "wanted" || state === "there";
}

function knownVolume({ service, name, plugin, handle }: VolumeRecord): KnownVolume {
  return { service, name, plugin, kind: handle?.kind ?? null };
}

import { join } from "node:path";
import type { ManifestInput } from "../client/api.ts";
import { importModule } from "../import-module.ts";
import type { ManifestFile, ServiceSource } from "./manifest-file.ts";

/** What a builder makes of a folder. */
export interface DetectedBuild {
  readonly plugin: string;
  readonly why: string;
  /** 0 to 100. */
  readonly confidence: number;
  /** Manifest keys that it suggests. */
  readonly service?: Readonly<Record<string, unknown>>;
}

interface Asked {
  readonly folder: string;
  readonly home: string;
  /** Ask only this builder, and only if what it makes has a start command. */
  readonly startOf?: string;
}

/** Asks the installed builders, best first. None fits: an empty list. */
export async function detectFolder(asked: Asked): Promise<readonly DetectedBuild[]> {
  const { detectBuild } = await loadDetect();
  const found = await detectBuild(asked);
  return found.toSorted((a, b) => b.confidence - a.confidence);
}

/** Checks a manifest as the control plane of the home would. Rejects with `MANIFEST_INVALID` or `PLUGIN_UNKNOWN`. */
export async function checkManifest(
  { manifest: { text, file }, environment, detected, runtime }: ManifestInput,
  home: string,
): Promise<void> {
  const detect = await loadDetect();
  await detect.checkManifest({
    home,
    text,
    file,
    environment,
    defaults: detected,
    ...(runtime !== undefined && { overrides: { runtime } }),
  });
}

interface Detect {
  readonly detectBuild: (input: Asked) => Promise<readonly DetectedBuild[]>;
  readonly checkManifest: (input: object) => Promise<void>;
}

async function loadDetect(): Promise<Detect> {
  return (await importModule("@helixstack/core/detect")) as Detect;
}

type Suggested = Readonly<Record<string, unknown>>;

/**
 * What a manifest leaves out: for each service without `build`, what its folder looks like; for one with `build` and without `start`, the start command that
 * the builder finds. One that no builder fits stays out: the manifest's reader says so, beside whatever else is wrong.
 */
export async function detectServices(manifest: ManifestFile, home: string): Promise<Readonly<Record<string, Suggested>>> {
  const found = await Promise.all(
    manifest.services.map(async (service) => {
      const suggested = await detectService(service, { folder: join(manifest.folder, service.source), home });
      return suggested === null ? [] : [[service.service, suggested] as const];
    }),
  );
  return Object.fromEntries(found.flat());
}

async function detectService({ build, start }: ServiceSource, place: Asked): Promise<Suggested | null> {
  if (build !== null && start !== null) return null;
  const [best] = await detectFolder(build === null ? place : { ...place, startOf: build });
  if (build === null) return best ? { build: best.plugin, ...best.service } : null;
  const found = best?.service?.["start"];
  return found === undefined ? null : { start: found };
}

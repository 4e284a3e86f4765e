import { join } from "node:path";
import type { ManifestInput } from "../client/api.ts";
import type { ManifestFile } from "./manifest-file.ts";

/** What a builder makes of a folder. */
export interface DetectedBuild {
  readonly plugin: string;
  readonly why: string;
  /** 0 to 100. */
  readonly confidence: number;
  /** Manifest keys that it suggests. */
  readonly service?: Readonly<Record<string, unknown>>;
}

/** Asks the installed builders, best first. None fits: an empty list. */
export async function detectFolder(folder: string, home: string): Promise<readonly DetectedBuild[]> {
  const { detectBuild } = await loadDetect();
  const found = await detectBuild({ folder, home });
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
  readonly detectBuild: (input: { readonly folder: string; readonly home: string }) => Promise<readonly DetectedBuild[]>;
  readonly checkManifest: (input: object) => Promise<void>;
}

async function loadDetect(): Promise<Detect> {
  // A name that the compiler does not follow: the builders are loaded only where they are asked.
  const name: string = "@helixstack/core/detect";
  return (await import(name)) as Detect;
}

/** What a manifest leaves out: for each service without `build`, what its folder looks like. One that no builder fits stays out: the manifest's reader says so, beside whatever else is wrong. */
export async function detectServices(
  { folder, services }: ManifestFile,
  home: string,
): Promise<Readonly<Record<string, Readonly<Record<string, unknown>>>>> {
  const open = services.filter(({ build }) => build === null);
  const found = await Promise.all(
    open.map(async ({ service, source }) => {
      const [best] = await detectFolder(join(folder, source), home);
      return best ? [[service, { build: best.plugin, ...best.service }] as const] : [];
    }),
  );
  return Object.fromEntries(found.flat());
}

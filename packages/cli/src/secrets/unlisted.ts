import type { Cli } from "../cli.ts";
import { readManifestFile } from "../project/manifest-file.ts";
import type { PlaceOptions } from "./place.ts";

/** Says which names no service of the manifest lists; such a secret reaches nobody. Empty where there is no manifest to ask. */
export function unlistedNote(cli: Cli, options: PlaceOptions, names: readonly string[]): string {
  const listed = listedSecrets(cli, options);
  const unlisted = listed === null ? [] : names.filter((name) => !listed.has(name));
  if (unlisted.length === 0) return "  next: helix deploy";
  return `  not in helix.yaml, so no service gets it: add \`secrets: [${unlisted.join(", ")}]\` to the service that needs it`;
}

/** The names that the manifest lists; null without a manifest. */
export function listedSecrets(cli: Cli, { file, environment }: PlaceOptions): ReadonlySet<string> | null {
  try {
    return new Set(readManifestFile({ cwd: cli.cwd, file, environment }).services.flatMap(({ secrets }) => secrets));
  } catch {
    return null;
  }
}

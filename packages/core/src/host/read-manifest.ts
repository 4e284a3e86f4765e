import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { isAbsolute, join, relative, resolve } from "node:path";
import { CONTRACT_VERSION, type PluginManifest } from "@helixstack/sdk";
import semver from "semver";
import { EngineError } from "../domain/errors.ts";
import { PluginManifestSchema } from "./manifest-schema.ts";
import { type SchemaCheck, checkOf } from "./schema-check.ts";

/** The name of the file that makes a folder a plugin. */
export const MANIFEST_FILE = "helix-plugin.json";

let compiled: SchemaCheck | null = null;

/** Compiled when it is first needed: plugins that were right before are not checked again. */
function checkManifest(manifest: unknown): readonly string[] {
  compiled ??= checkOf(PluginManifestSchema);
  return compiled(manifest);
}

/** Reads and checks the static manifest of one plugin; its code is not run. Rejects with `PLUGIN_INVALID`. */
export async function readManifest(folder: string, { engineVersion }: { readonly engineVersion: string }): Promise<PluginManifest> {
  const file = join(folder, MANIFEST_FILE);
  const manifest = await parseManifest(file);
  const problems = firstProblems(manifest, { engineVersion, folder });
  if (problems.length > 0) throw unusable(file, problems.join("; "));
  return manifest as unknown as PluginManifest;
}

/** The versions come first: they explain what follows from a plugin that is newer or older than the engine. */
function firstProblems(
  manifest: Record<string, unknown>,
  { engineVersion, folder }: { engineVersion: string; folder: string },
): readonly string[] {
  const { contract, engine } = manifest;
  if (contract !== CONTRACT_VERSION) {
    return [`it is written for contract ${String(contract)}, this engine speaks contract ${CONTRACT_VERSION}`];
  }
  if (typeof engine !== "string" || semver.validRange(engine) === null) return [`engine ${JSON.stringify(engine)} is not a semver range`];
  if (!semver.satisfies(engineVersion, engine, { includePrerelease: true }))
    return [`it works with engines ${engine}, this is ${engineVersion}`];
  const problems = checkManifest(manifest);
  if (problems.length > 0) return problems;
  return contentProblems(manifest as unknown as PluginManifest, folder);
}

function contentProblems({ version, entry, daemons }: PluginManifest, folder: string): readonly string[] {
  const problems = semver.valid(version) === null ? [`version "${version}" is not semver`] : [];
  for (const script of [entry, ...daemons.map((daemon) => daemon.entry)]) {
    if (!isInside(folder, script)) problems.push(`${script} is outside of the plugin's folder`);
    else if (!existsSync(join(folder, script))) problems.push(`${script} is not there`);
  }
  return problems;
}

/** Whether a path of the plugin stays in its folder. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, resolve(folder, path));
  return way !== "" && !way.startsWith("..") && !isAbsolute(way);
}

/** The file as it stands, without what is for editors only. Rejects with `PLUGIN_INVALID` where it is not JSON. */
export async function parseManifest(file: string): Promise<Record<string, unknown>> {
  const text = await readFile(file, "utf8");
  try {
    const { $comment: _comment, $schema: _schema, ...manifest } = JSON.parse(text) as Record<string, unknown>;
    return manifest;
  } catch (error) {
    throw unusable(file, `it is not JSON: ${(error as Error).message}`);
  }
}

function unusable(file: string, why: string): EngineError {
  return new EngineError("PLUGIN_INVALID", `${file} cannot be used: ${why}`);
}

import { EngineError } from "@helixstack/core/client";
import { readFileSync } from "node:fs";
import { basename, dirname, relative, resolve } from "node:path";
import { parseDocument } from "yaml";

/** A manifest as far as the command must know it: what is checked, merged and filled in is the control plane's business. */
export interface ManifestFile {
  /** Absolute folder of the file: the root of the source. */
  readonly folder: string;
  /** Name of the file in its folder. */
  readonly name: string;
  /** How messages name the file: relative to where the command was started. */
  readonly shown: string;
  readonly text: string;
  /** Null where the file does not say it properly. */
  readonly project: string | null;
  readonly services: readonly ServiceSource[];
}

/** Where a service's files are. */
export interface ServiceSource {
  readonly service: string;
  /** Relative to the manifest. */
  readonly source: string;
  /** Null: to be detected. */
  readonly build: string | null;
  /** Null: to be detected. */
  readonly start: string | null;
  /** `static: { dir }`. */
  readonly staticDir: string | null;
  /** Names of its secrets. */
  readonly secrets: readonly string[];
}

export interface ManifestOptions {
  readonly cwd: string;
  /** `--file`; else `helix.yaml`. */
  readonly file?: string | undefined;
  /** Whose overrides count. */
  readonly environment: string;
}

/** Reads the manifest. Throws `MANIFEST_NOT_FOUND`. A file that is not valid is read as far as it goes. */
export function readManifestFile({ cwd, file, environment }: ManifestOptions): ManifestFile {
  const path = resolve(cwd, file ?? "helix.yaml");
  const text = readText(path, { cwd, wasNamed: file !== undefined });
  const place = { folder: dirname(path), name: basename(path), shown: relative(cwd, path) || basename(path), text };
  const root = asMap(valuesOf(text, place.shown));
  return { ...place, project: asText(root["project"]), services: servicesOf(root, environment) };
}

/** Aliases are unfolded within the parser's limits: more is an accident or an attack. */
function valuesOf(text: string, shown: string): unknown {
  const document = parseDocument(text, { logLevel: "silent" });
  try {
    return document.toJS();
  } catch (error) {
    throw new EngineError("MANIFEST_INVALID", `${shown}: its anchors and aliases cannot be unfolded: ${(error as Error).message}.`);
  }
}

/** The project's name: from the option, else from the manifest. Throws `MANIFEST_NOT_FOUND` or `MANIFEST_INVALID`. */
export function projectName(options: ManifestOptions & { readonly project?: string | undefined }): string {
  if (options.project !== undefined) return options.project;
  const manifest = readManifestFile(options);
  if (manifest.project !== null) return manifest.project;
  throw new EngineError("MANIFEST_INVALID", `${manifest.shown}: \`project\` is missing or not a name.`);
}

function readText(path: string, { cwd, wasNamed }: { readonly cwd: string; readonly wasNamed: boolean }): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR")
      throw new EngineError("MANIFEST_NOT_FOUND", wasNamed ? `There is no file ${path}.` : `There is no helix.yaml in ${cwd}.`);
    if (code === "EACCES") throw new EngineError("SOURCE_UNREADABLE", `${path} cannot be read: permission denied.`);
    throw new EngineError("MANIFEST_INVALID", `${path} cannot be read: ${message}`);
  }
}

function servicesOf(root: Record<string, unknown>, environment: string): readonly ServiceSource[] {
  const overrides = asMap(asMap(asMap(root["environments"])[environment])["services"]);
  return Object.entries(asMap(root["services"])).map(([service, value]) => {
    const merged = { ...asMap(value), ...asMap(overrides[service]) };
    return {
      service,
      source: asText(merged["source"]) ?? ".",
      build: asText(merged["build"]),
      start: asText(merged["start"]),
      staticDir: asText(asMap(merged["static"])["dir"]),
      secrets: secretNames(merged["secrets"]),
    };
  });
}

/** `NAME`, or `{ name: NAME }`. */
function secretNames(list: unknown): readonly string[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown) => asText(item) ?? asText(asMap(item)["name"]) ?? []);
}

function asMap(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function asText(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

import { EngineError } from "@helixstack/core/client";
import { readFileSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import type { ManifestFile, ServiceSource } from "../project/manifest-file.ts";
import type { DigestCache } from "./digest.ts";
import type { Hidden } from "./ignore-rules.ts";
import { type LocalSnapshot, takeSnapshot } from "./snapshot.ts";

/** The snapshot of all services of a manifest. Rejects with `SOURCE_INVALID` or `SOURCE_UNREADABLE`, naming service and path. */
export async function projectSnapshot(manifest: ManifestFile, cache?: DigestCache): Promise<LocalSnapshot> {
  for (const service of manifest.services) checkFolder(manifest, service);
  const sources = manifest.services.map(({ source }) => source);
  const snapshot = await takeSnapshot({ root: manifest.folder, sources, except: [manifest.name, "helix.yaml"] }, cache);
  for (const service of manifest.services) checkHidden(service, snapshot);
  return snapshot;
}

function checkFolder({ folder, shown }: ManifestFile, { service, source }: ServiceSource): void {
  if (posix.isAbsolute(source) || posix.normalize(source).startsWith(".."))
    throw new EngineError("SOURCE_INVALID", `${shown}: the source of ${service}, ${source}, is outside the manifest's folder.`, {
      hint: "Move helix.yaml to a folder that holds all sources.",
    });
  if (!isFolder(join(folder, source)))
    throw new EngineError("SOURCE_INVALID", `${shown}: the source of ${service}, ${source}, is no folder.`, {
      hint: "Correct `source`; it is relative to helix.yaml.",
    });
}

/** What is deployed must not be what an ignore file rules out: the site would be empty, and nobody would know why. */
function checkHidden({ service, source, build, staticDir }: ServiceSource, { root, hidden }: LocalSnapshot): void {
  const own = hiddenAt(hidden, source);
  if (own) throw hiddenError(`The source of ${service}, ${source},`, own);
  if (build !== "static" || staticDir === null || hasBuildScript(join(root, source))) return;
  const folder = posix.join(source, staticDir);
  const reason = hiddenAt(hidden, folder);
  if (reason && isFolder(join(root, folder))) throw hiddenError(`The static folder of ${service}, ${folder},`, reason);
}

function hiddenAt(hidden: ReadonlyMap<string, Hidden>, folder: string): Hidden | null {
  const parts = posix
    .normalize(folder)
    .split("/")
    .filter((part) => part !== "" && part !== ".");
  for (let i = 1; i <= parts.length; i++) {
    const reason = hidden.get(parts.slice(0, i).join("/"));
    if (reason) return reason;
  }
  return null;
}

function hiddenError(what: string, { file, pattern }: Hidden): EngineError {
  if (file === null)
    return new EngineError("SOURCE_INVALID", `${what} is never part of a source (${pattern}).`, { hint: "Rename the folder." });
  const instead = file.endsWith(".helixignore")
    ? `Take the pattern out of ${file}.`
    : "Add a .helixignore (an empty one will do): it is used instead of .gitignore.";
  return new EngineError("SOURCE_INVALID", `${what} is hidden by \`${pattern}\` in ${file}, so that nothing of it would be deployed.`, {
    hint: instead,
  });
}

/** Then the folder is made by the build and need not be in the source. */
function hasBuildScript(folder: string): boolean {
  try {
    const { scripts } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { scripts?: Record<string, unknown> };
    return typeof scripts?.["build"] === "string";
  } catch {
    return false;
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

import { EngineError } from "@helixstack/core/client";
import { join, relative } from "node:path";
import type { ManifestFile, ServiceSource } from "./manifest-file.ts";
import { type Package, type Workspace, readPackage, siblingsOf, startFromRoot, workspaceAbove } from "./workspace.ts";

/** The builders that install what package.json names. */
const INSTALLING: ReadonlySet<string> = new Set(["node", "static"]);

/**
 * Refuses a service whose source is one package of a workspace and needs another: a build sees nothing outside of its source, and would ask the registry for
 * a package of that name, which may be a stranger's. Throws `SOURCE_UNFIT` with what to write instead.
 */
export function checkSiblings(manifest: ManifestFile): void {
  for (const service of manifest.services) {
    if (service.build !== null && !INSTALLING.has(service.build)) continue;
    const folder = join(manifest.folder, service.source);
    const own = readPackage(folder);
    const workspace = own && workspaceAbove(folder);
    const siblings = workspace ? siblingsOf(own, workspace) : [];
    if (workspace && siblings.length > 0) throw outOfReach(manifest, { service, folder, own: own!, workspace, siblings });
  }
}

interface OutOfReach {
  readonly service: ServiceSource;
  readonly folder: string;
  readonly own: Package;
  readonly workspace: Workspace;
  readonly siblings: readonly string[];
}

function outOfReach(manifest: ManifestFile, { service, folder, own, workspace, siblings }: OutOfReach): EngineError {
  const { source } = service;
  const where = siblings.map((name) => `${name} (${relative(workspace.root, workspace.members.get(name)!.folder)})`).join(", ");
  const start = startFromRoot(workspace, { folder, start: own.start }) ?? `node ${relative(workspace.root, folder)}/<file>`;
  const move = manifest.folder === workspace.root ? "" : `Move helix.yaml to ${workspace.root}, the workspace's root. `;
  return new EngineError(
    "SOURCE_UNFIT",
    `${manifest.shown}: ${service.service} is built from ${source} alone, and needs ${where} of the same workspace, which is not in it`,
    {
      plane: "build",
      hint: `${move}Build from the root: \`source: .\`, \`build: node\`, \`start: ${start}\`; its \`build\` script makes what has to be made.`,
    },
  );
}

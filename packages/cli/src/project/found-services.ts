import { readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { type DetectedBuild, detectFolder } from "./detect.ts";
import { nameFromFolder } from "./name-from-folder.ts";
import { type Workspace, readPackage, siblingsOf, startFromRoot, workspaceAt } from "./workspace.ts";

/** A service that a folder seems to hold. */
export interface FoundService {
  readonly name: string;
  /** Relative to the manifest. */
  readonly source: string;
  readonly build: DetectedBuild;
}

const SIGNS = ["package.json", "index.html", "Dockerfile"];
const SKIPPED = new Set(["node_modules", "dist", "build", "public", "test", "tests", "docs"]);

/** The folder itself as one service, or, where no builder knows it, those of its folders (the packages of a workspace) that one knows. */
export async function findServices(folder: string, home: string): Promise<readonly FoundService[]> {
  const [own] = await detectFolder({ folder, home });
  if (own) return [{ name: "web", source: ".", build: own }];
  const workspace = workspaceAt(folder);
  const found: FoundService[] = [];
  for (const path of workspace ? memberFolders(workspace) : candidateFolders(folder)) {
    const [build] = await detectFolder({ folder: join(folder, path), home });
    const service = build && { name: freeName(path, found), source: `./${path}`, build };
    const placed = service && workspace ? inWorkspace(service, workspace) : service;
    if (placed) found.push(placed);
  }
  return found;
}

/** Two packages of a workspace may lie in folders of one name. */
function freeName(path: string, found: readonly FoundService[]): string {
  const name = nameFromFolder(path);
  return found.some((service) => service.name === name) ? nameFromFolder(path.replaceAll("/", "-")) : name;
}

/** Without those that others need: they are libraries. */
function memberFolders(workspace: Workspace): readonly string[] {
  const { root, members } = workspace;
  const needed = new Set([...members.values()].flatMap((member) => siblingsOf(member.package, workspace)));
  const rest = [...members].filter(([name]) => !needed.has(name));
  return rest.map(([, { folder }]) => relative(root, folder)).toSorted();
}

/** A package that needs others of the workspace is built from its root, where they are. Null where nothing says how it is started from there. */
function inWorkspace(service: FoundService, workspace: Workspace): FoundService | null {
  const folder = join(workspace.root, service.source);
  const own = readPackage(folder);
  const siblings = own ? siblingsOf(own, workspace) : [];
  if (!own || siblings.length === 0) return service;
  const start = startFromRoot(workspace, { folder, start: own.start });
  const why = `${service.build.why}; built from the workspace's root, for ${siblings.join(", ")}`;
  return start === null ? null : { ...service, source: ".", build: { ...service.build, why, service: { start } } };
}

function candidateFolders(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && !SKIPPED.has(entry.name))
    .map(({ name }) => name)
    .filter((name) => SIGNS.some((sign) => statSync(join(folder, name, sign), { throwIfNoEntry: false })?.isFile()))
    .toSorted();
}

import { copyFile, link, mkdir, readdir, readlink, realpath, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { PluginError } from "@helixstack/sdk";
import { isInside } from "./folders.ts";

export interface PublishInput {
  readonly source: string;
  /** Folder of the site, relative to the source. */
  readonly folder: string;
  readonly output: string;
}

/**
 * Puts the public files of a folder into `output`. Left out: names that begin with a dot, `helix.yaml`, and `node_modules` where the source
 * itself is the site. A symbolic link becomes what it points to, so that the site needs no links; one that points outside the source
 * is refused by name.
 */
export async function publish({ source, folder, output }: PublishInput): Promise<void> {
  const root = await realpath(source);
  const site = await realpath(join(source, folder));
  await publishFolder({ root, site, isPlain: folder === ".", above: [site] }, { from: site, to: output });
}

/** Whether a path may be published at all. */
export function isPublic(path: string): boolean {
  return path.split("/").every((name) => !name.startsWith(".") && !/^helix\.ya?ml$/.test(name));
}

interface Scope {
  readonly root: string;
  readonly site: string;
  /** The source itself is published: what is installed there for tools is not part of the site. */
  readonly isPlain: boolean;
  /** Real paths of the folders around, to notice links that go round. */
  readonly above: readonly string[];
}

interface Step {
  readonly from: string;
  readonly to: string;
}

async function publishFolder(scope: Scope, { from, to }: Step): Promise<void> {
  await mkdir(to, { recursive: true });
  const entries = await readdir(from, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (!isPublic(entry.name) || (scope.isPlain && entry.name === "node_modules")) continue;
    const step = { from: join(from, entry.name), to: join(to, entry.name) };
    if (entry.isSymbolicLink()) await publishLink(scope, step);
    else if (entry.isDirectory()) await publishFolder({ ...scope, above: [...scope.above, step.from] }, step);
    else if (entry.isFile()) await publishFile(step);
  }
}

async function publishLink(scope: Scope, { from, to }: Step): Promise<void> {
  const name = relative(scope.root, from);
  const target = await readlink(from);
  const real = await realpath(from).catch(() => null);
  if (real === null) throw refuseLink(name, `points to ${target}, which is not there`);
  if (!isInside(scope.root, real)) throw refuseLink(name, `points outside the source, to ${target}`);
  const base = isInside(scope.site, real) ? scope.site : scope.root;
  if (!isPublic(relative(base, real))) throw refuseLink(name, `points to ${target}, which is never published`);
  if (!(await stat(real)).isDirectory()) return publishFile({ from: real, to });
  if (scope.above.some((folder) => isInside(real, folder))) throw refuseLink(name, `points to ${target}, a folder around it`);
  return publishFolder({ ...scope, above: [...scope.above, real] }, { from: real, to });
}

/** A second name for the file costs no copy. The source is this build's own and is removed after it. */
async function publishFile({ from, to }: Step): Promise<void> {
  await link(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EXDEV" && error.code !== "EPERM" && error.code !== "EMLINK") throw error;
    return copyFile(from, to);
  });
}

function refuseLink(name: string, why: string): PluginError {
  return new PluginError("SOURCE_UNFIT", `the symbolic link ${name} ${why}`, {
    hint: "Replace the link by the file itself, or remove it.",
  });
}

import { readlink, realpath, rm, symlink } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { walk } from "@helixstack/node-toolchain";
import { PluginError } from "@helixstack/sdk";

/**
 * Makes sure that every symbolic link of a folder leads to a place in that folder and goes on doing so when the folder is moved:
 * absolute links to inside become relative. Rejects with `SOURCE_UNFIT` for a link that leads out, by name.
 */
export async function keepLinksInside(folder: string): Promise<void> {
  const root = await realpath(folder);
  for await (const { path, entry } of walk(root, { enter: (inner) => inner !== ".git" })) {
    if (entry.isSymbolicLink()) await keepLinkInside(root, path);
  }
}

async function keepLinkInside(root: string, path: string): Promise<void> {
  const link = join(root, path);
  const target = await readlink(link);
  const lexical = resolve(dirname(link), target);
  // A link to nothing stays one: packages ship such links, and they cannot lead anywhere.
  const real = await realpath(link).catch(() => lexical);
  if (!isInside(root, real) || !isInside(root, lexical)) throw leadsOut(path, target);
  if (!isAbsolute(target)) return;
  await rm(link);
  await symlink(relative(dirname(link), lexical), link);
}

function isInside(root: string, path: string): boolean {
  return path === root || path.startsWith(root + sep);
}

function leadsOut(path: string, target: string): PluginError {
  const isPackage = path.startsWith("node_modules/");
  return new PluginError("SOURCE_UNFIT", `the symbolic link ${path} points outside the source, to ${target}`, {
    hint: isPackage
      ? "A dependency with a `file:` or `link:` path outside the service's folder cannot be bundled: set `source` to the folder that holds both."
      : "Replace the link by the file itself, or remove it.",
  });
}

import { realpath, stat } from "node:fs/promises";
import { isAbsolute, join, sep } from "node:path";
import { PluginError } from "@helixstack/sdk";

/** Whether a folder of the source has an `index.html`. */
export async function hasIndex(source: string, folder: string): Promise<boolean> {
  return (await stat(join(source, folder, "index.html")).catch(() => null))?.isFile() ?? false;
}

/** A path of the manifest in the form `a/b`, `.` for the folder itself. Rejects with `INVALID_SPEC` what leads out of the folder. */
export function relativePath(path: string, field: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (isAbsolute(path) || parts.includes("..") || /[\\\0]/.test(path)) {
    throw new PluginError("INVALID_SPEC", `\`${field}: ${path}\` is not a path below the service's source`, {
      hint: "Write it relative to `source`, with `/` between names and without `..`.",
    });
  }
  return parts.join("/") || ".";
}

/** True for what is in `root` or is `root`, both being real paths. */
export function isInside(root: string, path: string): boolean {
  return path === root || path.startsWith(root + sep);
}

/** The real path of a folder of the source; null when it is not a folder. Rejects when it leads out by way of links. */
export async function realFolder(source: string, folder: string): Promise<string | null> {
  const real = await realpath(join(source, folder)).catch(() => null);
  if (real === null || !(await stat(real)).isDirectory()) return null;
  if (isInside(await realpath(source), real)) return real;
  throw new PluginError("SOURCE_UNFIT", `the folder ${folder} is a symbolic link that points outside the source`, {
    hint: "Put the files into the source itself.",
  });
}

import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { MANIFEST_FILE } from "./read-manifest.ts";

/** Digest over the manifest and every file beside the plugin's module: what a release records as the code it ran on. */
export async function pluginDigest(folder: string, { entry }: { readonly entry: string }): Promise<string> {
  const code = await filesBelow(join(folder, dirname(entry)));
  const files = [...new Set([join(folder, MANIFEST_FILE), ...code])].toSorted();
  const digests = await Promise.all(
    files.map(async (file) =>
      createHash("sha256")
        .update(await readFile(file))
        .digest("hex"),
    ),
  );
  const total = createHash("sha256");
  files.forEach((file, i) => total.update(`${relative(folder, file).split(sep).join("/")}\0${digests[i]}\n`));
  return `sha256:${total.digest("hex")}`;
}

/** Without dependencies, which have versions of their own, and without what only compilers and debuggers read. */
async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const nested = entries.map(async (entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : filesBelow(path);
    return entry.isFile() && !/\.(map|d\.ts|tsbuildinfo)$/.test(entry.name) ? [path] : [];
  });
  return (await Promise.all(nested)).flat();
}

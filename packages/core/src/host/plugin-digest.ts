import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { MANIFEST_FILE } from "./read-manifest.ts";

const IGNORED: readonly string[] = ["node_modules", ".git"];
/** What a plugin's folder holds besides for those who work on it. */
const SOURCES: readonly string[] = ["src", "test"];

/**
 * Digest over every file of the plugin but its dependencies, sources and tests: what a release records as the code it ran on. Scripts and templates beside its
 * module run as well, and as whom the module does.
 */
export async function pluginDigest(folder: string, { entry }: { readonly entry: string }): Promise<string> {
  const [code, all] = await Promise.all([filesBelow(join(folder, dirname(entry))), filesBelow(folder, SOURCES)]);
  const files = [...new Set([join(folder, MANIFEST_FILE), ...code, ...all])].toSorted();
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
async function filesBelow(folder: string, omitted: readonly string[] = []): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const nested = entries.map(async (entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return IGNORED.includes(entry.name) || omitted.includes(entry.name) ? [] : filesBelow(path);
    return entry.isFile() && !/\.(map|d\.ts|tsbuildinfo)$/.test(entry.name) ? [path] : [];
  });
  return (await Promise.all(nested)).flat();
}

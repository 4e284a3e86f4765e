import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { PackageJson } from "@helixstack/node-toolchain";

const USUAL = ["server", "index", "app", "main", "src/server", "src/index"].flatMap((name) => [`${name}.js`, `${name}.mjs`, `${name}.cjs`]);

/** The file that an application without a start script begins with: `main` of package.json, else a usual name. Null when there is none. */
export async function findEntryFile(source: string, packageJson: PackageJson | null): Promise<string | null> {
  const main = packageJson?.main?.replace(/^\.\//, "");
  const candidates = [...(main === undefined ? [] : [main, `${main}.js`, `${main}/index.js`]), ...USUAL];
  for (const candidate of candidates) if (await isFile(join(source, candidate))) return candidate;
  return null;
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false;
}

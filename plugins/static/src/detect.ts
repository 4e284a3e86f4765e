import { type PackageJson, isDevServer, readPackageJson, siteToolOf } from "@helixstack/node-toolchain";
import type { Detection } from "@helixstack/sdk";
import { hasIndex } from "./folders.ts";

/** Folders without a build that hold a site. */
export const PLAIN_FOLDERS = [".", "public", "dist", "build", "out"] as const;

/** Says whether a folder is a site without a server of its own, and how sure that is. */
export async function detectSite(source: string): Promise<Detection> {
  const packageJson = await readPackageJson(source);
  return (packageJson && detectBuiltSite(packageJson)) ?? (await detectPlainSite(source));
}

function detectBuiltSite(packageJson: PackageJson): Detection | null {
  const { build, start } = packageJson.scripts;
  if (build === undefined) return null;
  const tool = siteToolOf(packageJson);
  const service = tool === null ? {} : { service: { static: { fallback: "index.html" } } };
  const made = tool === null ? "a build script" : `a build script and ${tool}`;
  if (start === undefined)
    return { fits: true, why: `package.json has ${made}, and no start script`, confidence: tool ? 80 : 50, ...service };
  if (isDevServer(start))
    return { fits: true, why: `package.json has ${made}; its start script is for development`, confidence: 80, ...service };
  return null;
}

async function detectPlainSite(source: string): Promise<Detection> {
  for (const folder of PLAIN_FOLDERS) {
    if (!(await hasIndex(source, folder))) continue;
    const service = folder === "." ? {} : { service: { static: { dir: folder } } };
    const name = folder === "." ? "index.html" : `${folder}/index.html`;
    return { fits: true, why: `there is ${name}`, confidence: folder === "." ? 60 : 30, ...service };
  }
  return { fits: false, why: "there is no index.html, and no package.json that builds a site", confidence: 0 };
}

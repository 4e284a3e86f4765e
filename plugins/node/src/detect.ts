import { type PackageJson, isDevServer, readPackageJson, siteToolOf } from "@helixstack/node-toolchain";
import type { Detection } from "@helixstack/sdk";
import { findEntryFile } from "./entry-file.ts";

/** Says whether a folder is a Node application, and how sure that is. */
export async function detectApplication(source: string): Promise<Detection> {
  const packageJson = await readPackageJson(source);
  const start = packageJson?.scripts["start"];
  if (start !== undefined && isDevServer(start)) {
    return unfit(`the start script of package.json (${start}) is a development server`);
  }
  if (start !== undefined) return { fits: true, why: "package.json has a start script", confidence: 90, service: { start: "npm start" } };
  const file = await findEntryFile(source, packageJson);
  if (file !== null) return fitsByFile(file, packageJson);
  if (packageJson === null) return unfit("there is no package.json, server.js or index.js");
  if (packageJson.main !== null && packageJson.scripts["build"] !== undefined) {
    const service = { start: `node ${packageJson.main}` };
    return { fits: true, why: `package.json names ${packageJson.main} as main, which the build script may make`, confidence: 40, service };
  }
  return unfit("package.json has no start script, and there is no server.js or index.js");
}

function fitsByFile(file: string, packageJson: PackageJson | null): Detection {
  const service = { start: `node ${file}` };
  if (packageJson === null) return { fits: true, why: `there is ${file}, and no package.json`, confidence: 40, service };
  const tool = siteToolOf(packageJson);
  if (tool !== null) return { fits: true, why: `there is ${file}, though the project uses ${tool}`, confidence: 50, service };
  return { fits: true, why: `package.json has no start script, and there is ${file}`, confidence: 70, service };
}

function unfit(why: string): Detection {
  return { fits: false, why, confidence: 0 };
}

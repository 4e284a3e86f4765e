import { stat } from "node:fs/promises";
import { join } from "node:path";
import {
  type PackageJson,
  hasDependencies,
  installDependencies,
  openProject,
  readPackageJson,
  refuseLeaks,
  runScript,
} from "@helixstack/node-toolchain";
import { type BuildInput, type BuildResult, type PluginContext, PluginError } from "@helixstack/sdk";
import { chooseFolder, indexTimes } from "./choose-folder.ts";
import { relativePath } from "./folders.ts";
import { isPublic, publish } from "./publish.ts";
import type { StaticSpec } from "./spec.ts";

/** Makes a `static-site` in `input.output`: the files of one folder, after the build script where there is one. */
export async function buildSite(ctx: PluginContext, input: BuildInput<StaticSpec>): Promise<BuildResult> {
  const { spec, source, output } = input;
  const dir = spec.dir === undefined ? null : relativePath(spec.dir, "static.dir");
  const fallback = spec.fallback == null ? null : relativePath(spec.fallback, "static.fallback");
  const packageJson = await readPackageJson(source);
  const script = buildScript(spec, packageJson);
  const before = await indexTimes(source);
  const secrets = packageJson !== null && script !== null ? await runBuild(ctx, { input, packageJson, script }) : {};
  const folder = await chooseFolder(source, { dir, script, before });
  ctx.log.info(`the site is in ${folder === "." ? "the source folder" : folder}`);
  ctx.progress("collecting the files");
  await publish({ source, folder, output });
  if (fallback !== null) await requireFallback(output, { fallback, folder });
  await refuseLeaks(output, secrets);
  return { kind: "static-site", metadata: { fallback }, image: null };
}

interface Work {
  readonly input: BuildInput<StaticSpec>;
  readonly packageJson: PackageJson;
  readonly script: string;
}

async function runBuild(ctx: PluginContext, { input, packageJson, script }: Work) {
  const project = await openProject(ctx, { folder: input.source, packageJson, secrets: input.secrets });
  if (hasDependencies(packageJson)) await installDependencies(ctx, project, { production: false });
  await runScript(ctx, project, script);
  return project.secretEnv;
}

function buildScript(spec: StaticSpec, packageJson: PackageJson | null): string | null {
  if (spec.build === false) return null;
  const name = spec.build ?? "build";
  if (packageJson?.scripts[name] !== undefined) return name;
  if (spec.build === undefined) return null;
  throw new PluginError("SOURCE_UNFIT", `package.json has no script ${name}, which \`static.build\` names`, {
    hint: `It has: ${Object.keys(packageJson?.scripts ?? {}).join(", ") || "no scripts"}.`,
  });
}

async function requireFallback(output: string, { fallback, folder }: { fallback: string; folder: string }): Promise<void> {
  const isFile = (await stat(join(output, fallback)).catch(() => null))?.isFile() ?? false;
  if (isFile && isPublic(fallback)) return;
  throw new PluginError("SOURCE_UNFIT", `there is no file ${fallback} in ${folder}, which \`static.fallback\` names`, {
    hint: "Name a file relative to `static.dir`, or leave `fallback` out: paths that are not there are then 404.",
  });
}

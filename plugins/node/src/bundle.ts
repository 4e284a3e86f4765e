import { access } from "node:fs/promises";
import { join } from "node:path";
import {
  type PackageJson,
  type Project,
  hasDependencies,
  installDependencies,
  openProject,
  pruneDependencies,
  readPackageJson,
  refuseLeaks,
  runScript,
} from "@helixstack/node-toolchain";
import { type BuildInput, type BuildResult, type PluginContext, PluginError } from "@helixstack/sdk";
import { keepLinksInside } from "./links.ts";
import { moveBundle } from "./move.ts";
import type { NodeSpec } from "./spec.ts";
import { isStartScript, startOfFiles, writtenStart } from "./start.ts";

/** Builds a `node-bundle` in `input.output`: the source, what its build script made, and its production dependencies. */
export async function buildBundle(ctx: PluginContext, input: BuildInput<NodeSpec>): Promise<BuildResult> {
  const packageJson = await readPackageJson(input.source);
  // Asked first: a start command that cannot be used should not be found out after minutes of installing.
  const written = writtenStart(input.start, packageJson);
  const script = buildScript(input.spec, packageJson);
  if (packageJson?.scripts["prestart"] !== undefined && isStartScript(input.start)) {
    ctx.log.warn("the script prestart is not run; list what must run once before the start under `tasks`");
  }
  if (packageJson !== null && (script !== null || needsInstall(packageJson))) {
    const project = await openProject(ctx, { folder: input.source, packageJson, secrets: input.secrets });
    await makeReady(ctx, { project, script, program: written?.argv[0] ?? "node" });
    await refuseLeaks(input.source, project.secretEnv);
  }
  const start = written ?? (await startOfFiles(input.source, packageJson));
  ctx.progress("collecting the bundle");
  await keepLinksInside(input.source);
  await moveBundle(input.source, input.output);
  return { kind: "node-bundle", metadata: { start: start.argv, env: start.env, node: packageJson?.node ?? null }, image: null };
}

/** Scripts that installing runs by itself. They may need dev dependencies, and are reason enough to install. */
const INSTALL_SCRIPTS = ["preinstall", "install", "postinstall", "prepare"];

function needsInstall(packageJson: PackageJson): boolean {
  return hasDependencies(packageJson) || INSTALL_SCRIPTS.some((name) => name in packageJson.scripts);
}

function buildScript(spec: NodeSpec, packageJson: PackageJson | null): string | null {
  if (spec.build === false) return null;
  const name = spec.build ?? "build";
  if (packageJson?.scripts[name] !== undefined) return name;
  if (spec.build === undefined) return null;
  const known = Object.keys(packageJson?.scripts ?? {});
  throw new PluginError("SOURCE_UNFIT", `package.json has no script ${name}, which \`node.build\` names`, {
    hint: known.length === 0 ? "Add the script, or remove `node.build`." : `It has: ${known.join(", ")}.`,
  });
}

interface Work {
  readonly project: Project;
  readonly script: string | null;
  /** What the start command runs. */
  readonly program: string;
}

async function makeReady(ctx: PluginContext, { project, script, program }: Work): Promise<void> {
  const { packageJson, folder } = project;
  const isDevNeeded = script !== null || packageJson.hasWorkspaces || INSTALL_SCRIPTS.some((name) => name in packageJson.scripts);
  if (needsInstall(packageJson)) await installDependencies(ctx, project, { production: !isDevNeeded });
  if (script !== null) await runScript(ctx, project, script);
  const wasThere = await hasProgram(folder, program);
  if (isDevNeeded && hasDependencies(packageJson)) await pruneDependencies(ctx, project);
  if ((wasThere || program in packageJson.devDependencies) && !(await hasProgram(folder, program))) throw prunedProgram(program);
}

async function hasProgram(folder: string, program: string): Promise<boolean> {
  return access(join(folder, "node_modules", ".bin", program)).then(
    () => true,
    () => false,
  );
}

function prunedProgram(program: string): PluginError {
  return new PluginError("SOURCE_UNFIT", `the start command runs ${program}, which comes with a dev dependency and is not in the bundle`, {
    hint: `Move the package of ${program} to \`dependencies\`, or set \`start:\` to a command that does not need it.`,
  });
}
